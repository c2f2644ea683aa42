//! The face on the card that was read: a photo where there is one, a silhouette otherwise, in every look, and on no other
//! page.
use std::sync::Arc;

use domain::applicant::Applicant;
use hardware::photo::{BMP_LEN, HEIGHT, Photo, WIDTH};
use terminal::command::Command;
use terminal::event::Event;
use terminal::model::{CardStep, Look, Model, Screen};
use zeroize::Zeroizing;

use super::bank_mark::pictures;
use super::stage::{FLEX, NOW_MS, Stage, answer_situation, catalogue, long_person, looks, person};

/// A grey picture, as a decoder gives it.
fn photo() -> Photo {
    let mut bmp = vec![0x80; BMP_LEN];
    bmp[..54].fill(0);
    bmp[..2].copy_from_slice(b"BM");
    for (at, number) in [(10, 54), (18, WIDTH), (22, HEIGHT)] {
        bmp[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    bmp[28] = 24;
    Photo::from_bmp(Zeroizing::new(bmp)).expect("a picture")
}

fn read(look: Look, person: Applicant) -> Model {
    let catalogue = catalogue();
    let mut model = Model::new(Arc::clone(&catalogue), NOW_MS);
    model.command(Command::Start(look.size));
    model.look = look;
    model.command(Command::OpenGuide(FLEX.parse().expect("code")));
    model.command(Command::Begin);
    answer_situation(&mut model);
    assert_eq!(model.screen, Screen::Card);
    model.event(Event::CardRead(Box::new(person)));
    assert_eq!(model.session.as_ref().map(|s| s.card), Some(CardStep::Done));
    model
}

#[test]
fn the_page_of_the_card_shows_the_photo_or_a_silhouette_beside_the_masked_name() {
    for look in looks() {
        for person in [person(), long_person()] {
            let about = format!("{look:?}");
            let mut stage = Stage::of(read(look, person));
            stage.assert_sound(&about);
            assert_eq!(pictures(stage.shapes()).len(), 0, "{about}: a silhouette is drawn");
            stage.change(|model| drop(model.event(Event::CardPhoto(Box::new(photo())))));
            stage.assert_sound(&about);
            let [place] = pictures(stage.shapes())[..] else { panic!("{about}: not one photo") };
            let (drawn, taken) = (place.width() / place.height(), WIDTH as f32 / HEIGHT as f32);
            assert!((drawn / taken - 1.0).abs() < 0.05, "{about}: its shape is kept: {place:?}");
            stage.change(|model| drop(model.command(Command::Continue)));
            assert_eq!(pictures(stage.shapes()).len(), 0, "{about}: it is on no other page");
        }
    }
}
