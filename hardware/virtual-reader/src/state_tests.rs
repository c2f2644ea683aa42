//! The simulated reader against its own rules.
use hardware::id_card::IMAGE_LEN;
use hardware::samv::Sw3;

use hardware::simulated_card::Sample;

use super::*;

fn with_card() -> State {
    let mut state = State::default();
    state.obey(Order::Insert((0..IMAGE_LEN).map(|i| i as u8).collect()));
    state
}

fn ask(state: &mut State, command: Command) -> Result<Answer, FrameError> {
    match state.exchange_frame(&command.encode()) {
        Reply::Bytes(bytes) => Answer::parse(&bytes),
        other => panic!("no bytes: {other:?}"),
    }
}

fn sw(state: &mut State, command: Command) -> Sw3 {
    ask(state, command).expect("a frame").status
}

#[test]
fn the_dialogue_follows_the_card() {
    let mut state = State::default();
    assert_eq!(sw(&mut state, Command::Status), Sw3::Done);
    assert_eq!(sw(&mut state, Command::Find), Sw3::NoCard);
    assert_eq!(sw(&mut state, Command::Select), Sw3::SelectFailed);
    assert_eq!(sw(&mut state, Command::ReadTextPhoto), Sw3::ReadFailed);
    let mut state = with_card();
    assert_eq!(sw(&mut state, Command::Find), Sw3::Found);
    assert_eq!(sw(&mut state, Command::Select), Sw3::Done);
    assert_eq!(ask(&mut state, Command::ReadTextPhoto).expect("a frame").data.len(), IMAGE_LEN);
    assert_eq!(sw(&mut state, Command::ReadNewestAddress), Sw3::AbsentOnCard);
    assert_eq!(ask(&mut state, Command::SamId).expect("a frame").data.len(), 16);
}

#[test]
fn bad_requests_get_the_status_for_it() {
    let mut state = with_card();
    let mut wrong_sum = Command::Find.encode();
    wrong_sum[9] ^= 1;
    let table = [(vec![], 0x11), (vec![0xAA; 400], 0x11), (wrong_sum, 0x10)];
    for (request, sw3) in table {
        assert_eq!(state.exchange_frame(&request), Reply::Bytes(Answer::encode(sw3, &[])));
    }
    let unknown = [0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3, 0x60, 0, 0x63];
    assert_eq!(state.exchange_frame(&unknown), Reply::Bytes(Answer::encode(0x21, &[])));
}

#[test]
fn a_card_lifted_in_mid_read_is_gone_on_both_ways() {
    let mut state = with_card();
    state.obey(Order::RemoveMidRead);
    assert_eq!(sw(&mut state, Command::Find), Sw3::Found);
    assert_eq!(sw(&mut state, Command::ReadTextPhoto), Sw3::ReadFailed);
    assert!(!state.has_card());
    let mut state = with_card();
    state.obey(Order::RemoveMidRead);
    assert!(matches!(state.exchange_apdu(&[0xFF, 0xB0, 0, 0, 0]), Reply::Bytes(bytes) if bytes.len() == 258));
    assert_eq!(state.exchange_apdu(&[0xFF, 0xB0, 1, 0, 0]), Reply::Removed);
}

#[test]
fn the_image_is_served_by_offset() {
    let mut state = with_card();
    assert_eq!(state.exchange_apdu(&[0xFF, 0xB0, 5, 0, 0]), Reply::Bytes(vec![0, 1, 2, 3, 0x90, 0]));
    assert_eq!(state.exchange_apdu(&[0xFF, 0xB0, 6, 0, 0]), Reply::Bytes(vec![0x6B, 0]));
    for unknown in [&[][..], &[0xFF], &[0xFF, 0xB0, 0, 0], &[0, 0xA4, 4, 0, 0], &[0xFF, 0xB0, 0, 0, 0, 0]] {
        assert_eq!(state.exchange_apdu(unknown), Reply::Bytes(vec![0x6D, 0]), "{unknown:?}");
    }
}

#[test]
fn faults_are_played_as_often_as_ordered() {
    let faults = [
        (Fault::Garbage, FrameError::Incomplete),
        (Fault::WrongChecksum, FrameError::Checksum),
        (Fault::Truncate, FrameError::Incomplete),
        (Fault::Oversize, FrameError::Length(0xFFFF)),
    ];
    for (fault, error) in faults {
        let mut state = with_card();
        state.obey(Order::Fault(fault, 2));
        assert_eq!(ask(&mut state, Command::Find).err(), Some(error), "{fault:?}");
        assert_eq!(ask(&mut state, Command::Find).err(), Some(error), "{fault:?}");
        assert_eq!(sw(&mut state, Command::Find), Sw3::Found, "{fault:?}");
    }
    let mut state = with_card();
    state.obey(Order::Fault(Fault::Garbage, 5));
    state.obey(Order::Fault(Fault::Garbage, 0));
    assert_eq!(sw(&mut state, Command::Find), Sw3::Found, "none are none");
    state.obey(Order::Fault(Fault::Noise, 1));
    assert_eq!(sw(&mut state, Command::Find), Sw3::Found, "noise in front is skipped");
    state.obey(Order::Fault(Fault::Status(0x41, Some(Command::ReadTextPhoto)), 1));
    assert_eq!(sw(&mut state, Command::Select), Sw3::Done);
    assert_eq!(sw(&mut state, Command::ReadTextPhoto), Sw3::ReadFailed);
}

#[test]
fn a_reader_without_a_module_knows_neither_way() {
    let mut state = with_card();
    state.obey(Order::Switch(Part::Module, false));
    assert_eq!(state.exchange_frame(&Command::Status.encode()), Reply::Unsupported);
    assert_eq!(state.exchange_apdu(&[0xFF, 0xB0, 0, 0, 0]), Reply::Bytes(vec![0x6D, 0]));
    state.obey(Order::Switch(Part::Image, true));
    assert!(matches!(state.exchange_apdu(&[0xFF, 0xB0, 0, 0, 0]), Reply::Bytes(bytes) if bytes.len() == 258));
}

#[test]
fn a_quick_change_of_cards_is_shown_as_lifted_first() {
    let mut state = with_card();
    assert!(state.show_presence());
    state.obey(Order::Insert(vec![1; IMAGE_LEN]));
    state.settle();
    let changes = state.changes();
    assert!(!state.show_presence());
    assert!(!state.show_presence(), "pcscd asks more than once before it waits");
    state.settle();
    assert!(state.changes() > changes, "whoever waits looks again");
    assert!(state.show_presence());
}

#[test]
fn a_reset_forgets_everything_but_shows_the_lift() {
    let mut state = with_card();
    state.obey(Order::Delay(Duration::from_secs(99)));
    assert_eq!(state.delay(), MAX_DELAY);
    let changes = state.changes();
    state.obey(Order::Reset);
    assert!(state.changes() > changes);
    assert_eq!(
        state.obey(Order::Status),
        "card=absent control=on image=on pass=on delay_ms=0 faults=0 exchanges=0 forbidden=0"
    );
}

#[test]
fn a_card_that_was_read_is_not_found_again_before_it_was_lifted() {
    let mut state = with_card();
    assert_eq!(sw(&mut state, Command::Find), Sw3::Found);
    assert_eq!(sw(&mut state, Command::Select), Sw3::Done);
    assert_eq!(sw(&mut state, Command::ReadTextPhoto), Sw3::Done);
    assert_eq!(sw(&mut state, Command::Find), Sw3::NoCard);
    assert_eq!(sw(&mut state, Command::ReadNewestAddress), Sw3::AbsentOnCard);
    assert_eq!(ask(&mut state, Command::ReadBodyNumber).expect("a frame").data.len(), 8);
    state.obey(Order::Remove);
    assert_eq!(sw(&mut state, Command::ReadNewestAddress), Sw3::ReadFailed);
    state.obey(Order::Insert(vec![1; IMAGE_LEN]));
    assert_eq!(sw(&mut state, Command::Find), Sw3::Found);
}

#[test]
fn a_frame_inside_an_apdu_comes_back_in_pieces() {
    let mut state = with_card();
    let read = Command::ReadTextPhoto.encode();
    let mut apdu = [&[0xFF, 0, 0, 0, read.len() as u8][..], &read].concat();
    let mut whole = Vec::new();
    for _ in 0..6 {
        let Reply::Bytes(answer) = state.exchange_apdu(&apdu) else { panic!("no bytes") };
        let (piece, status) = answer.split_at(answer.len() - 2);
        whole.extend_from_slice(piece);
        if status == [0x90, 0] {
            break;
        }
        apdu = vec![0xFF, 0xC0, 0, 0, status[1]];
    }
    assert_eq!(Answer::parse(&whole).expect("a frame").data.len(), IMAGE_LEN);
    state.obey(Order::Switch(Part::Pass, false));
    assert_eq!(state.exchange_apdu(&apdu), Reply::Bytes(vec![0x6D, 0]));
}

#[test]
fn a_chip_card_answers_for_itself_and_the_module_does_not_see_it() {
    let mut state = State::default();
    state.obey(Order::InsertChip(Sample::Staff));
    assert_eq!(state.power_up().as_deref(), Some(&simulated_card::ATR[..]));
    assert_eq!(sw(&mut state, Command::Find), Sw3::NoCard);
    assert_eq!(state.exchange_apdu(&[0, 0xA4, 4, 0, 1, 9]), Reply::Bytes(vec![0x6A, 0x82]));
    assert_eq!(state.exchange_apdu(&[0xFF, 0xB0, 0, 0, 0]), Reply::Bytes(vec![0x6D, 0]));
    assert_eq!(state.exchange_apdu(&[0, 0x20, 0, 0, 1, 0]), Reply::Bytes(vec![0x63, 0xC5]));
    assert!(state.to_string().ends_with(" forbidden=1"), "{state}");
    state.obey(Order::InsertMute);
    assert!(state.has_card() && state.power_up().is_none());
}

#[test]
fn what_lies_ahead_happens_before_its_exchange() {
    let mut state = with_card();
    state.obey(Order::RemoveAt(3));
    assert_eq!(sw(&mut state, Command::Find), Sw3::Found);
    assert_eq!(sw(&mut state, Command::Select), Sw3::Done);
    assert_eq!(sw(&mut state, Command::ReadTextPhoto), Sw3::ReadFailed);
    state.obey(Order::UnplugAt(Some(1)));
    assert_eq!(state.exchange_frame(&Command::Find.encode()), Reply::Unplugged);
    assert_eq!(state.exchange_apdu(&[0xFF, 0xB0, 0, 0, 0]), Reply::Unplugged);
    assert!(state.is_unplugged());
    state.obey(Order::UnplugAt(None));
    assert_eq!(sw(&mut state, Command::Find), Sw3::NoCard);
}
