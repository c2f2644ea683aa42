//! The part of the conformance suite about windows: visits, forms that are not handed in yet, and what becomes of them.
use anyhow::{Context as _, Result, ensure};
use domain::applicant::IdentitySource;
use domain::case::{Action, Answerable, Flaw, VisitKind, Want};
use domain::envelope::{DataKey, Digest, Suite};
use domain::ids::{EnvelopeId, ItemCode};
use domain::wire::v1::{BlobEntry, BlobKind, Person, Submission};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sync_server::error::{ProblemCode, ServiceError};
use sync_server::services::supplementing::{self, Bringing, NotAsked};
use sync_server::services::window::drafts::{self, Content, KeptFile, New, Sealed};
use sync_server::services::window::visits::{self, End};
use sync_server::services::window::{self, Filled, HandedIn, LookedUp, Lookup};
use sync_server::services::{Context, blobs, case_key, cases, refold, series};
use sync_server::store::Tx;
use tests::device::courier_at;

use super::review::stage::{DAY_MS, FIVE_DAYS, MINUTE_MS, Stage, single};

const CLERK: &str = "A-0007";
const OTHER: &str = "A-0008";

fn content(files: Vec<KeptFile>) -> Content {
    let person = Person {
        source: IdentitySource::Typed,
        name: "样例甲".into(),
        id_number: "639900199005201035".into(),
        sex: Some(1),
        birth: None,
        address: None,
    };
    let (situation, answers) = (Default::default(), Default::default());
    Content { person, situation, answers, page: 0, files, supplements: None }
}

/// A form that a clerk begins.
struct Form {
    id: EnvelopeId,
    key: DataKey,
}

fn begin(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut ChaCha20Rng),
    visit: &visits::Visit,
) -> Result<Form> {
    let item: ItemCode = tests::device::ITEM.parse()?;
    ensure!(window::suite(tx, context, now_ms)? == Suite::One);
    let (id, key) = (EnvelopeId::new(now_ms, rng), DataKey::new(rng));
    let wrapped = case_key::wrap(&key, (&id, now_ms), &context.keys, rng)?.context("wrapped")?;
    let sealed = Sealed::seal(&key, &id, &content(Vec::new()), rng)?;
    let new = New { id, visit: &visit.id, item: &item, catalogue_version: 2, key: &wrapped, sealed: &sealed };
    ensure!(!drafts::is_taken(tx, &id)?);
    ensure!(drafts::begin(tx, (now_ms, now_ms), &visit.clerk, &new)? && drafts::is_taken(tx, &id)?);
    visits::start(tx, now_ms, visit)?;
    Ok(Form { id, key })
}

fn hand_in(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut ChaCha20Rng),
    (clerk, form): (&str, &Form),
    blobs: Vec<BlobEntry>,
) -> Result<HandedIn> {
    let draft = drafts::find(tx, CLERK, &form.id, 0)?.context("a draft")?;
    let submission: Submission = courier_at(now_ms);
    let filled = Filled::new(&draft, form.key.clone(), &submission, blobs)?;
    let first = window::hand_in(tx, context, (now_ms, rng), clerk, &filled)?;
    let again = window::hand_in(tx, context, (now_ms, rng), clerk, &filled)?;
    ensure!(first.number == again.number && again.left_over.is_empty(), "once");
    Ok(first)
}

/// A clerk calls, begins, keeps, hands in; another one sees nothing of it; old forms go.
pub fn every_statement(stage: &mut Stage<'_>) -> Result<()> {
    let mut rng = ChaCha20Rng::seed_from_u64(25);
    let now_ms = stage.now_ms;
    let number = stage.in_tx(|tx, context, now_ms| Ok(told(tx, context, (now_ms, &mut rng))))??;
    stage.in_tx(|tx, context, _| Ok(afterwards(tx, context, &number)))??;
    let before = now_ms + 2 * DAY_MS;
    stage.in_tx(|tx, _, _| Ok(old_ones_go(tx, before)))??;
    supplement(stage, &mut rng)
}

/// What a case waits for is handed in once, and only while it waits.
fn supplement(stage: &mut Stage<'_>, rng: &mut ChaCha20Rng) -> Result<()> {
    let case = stage.case(FIVE_DAYS, single()?)?;
    let other = stage.case(FIVE_DAYS, single()?)?;
    stage.by_centre(&case, Action::Accepted { deemed: false })?;
    let (id, key) = (EnvelopeId::new(stage.now_ms, rng), DataKey::new(rng));
    let second = EnvelopeId::new(stage.now_ms, rng);
    let of = |id: EnvelopeId, case: EnvelopeId| {
        let content = (content(Vec::new()).person, Default::default());
        Bringing::new((id, key.clone()), case, content, Vec::new())
    };
    let (own, foreign, second, first_id) =
        (of(id, case)?, of(id, other)?, of(second, case)?, of(case, case)?);
    let mut hands_in = |stage: &mut Stage<'_>, of: &Bringing| {
        stage.in_tx(|tx, context, now_ms| supplementing::hand_in(tx, context, (now_ms, rng), (CLERK, of)))
    };
    ensure!(hands_in(stage, &own)? == Err(NotAsked::Nothing));
    ensure!(stage.in_tx(|tx, _, _| Ok(supplementing::handed_in(tx, &id)?))?.is_none());
    let wants = vec![Want { key: "phone".into(), flaw: Flaw::Missing }];
    stage.by_centre(&case, Action::SupplementAsked { step: "a".into(), wants, days: 5, text: None })?;
    ensure!(hands_in(stage, &own)? == Err(NotAsked::Nothing), "before the notice went out");
    stage.by_centre(&case, Action::SupplementSent { due_ms: stage.now_ms + DAY_MS })?;
    let refused = hands_in(stage, &first_id);
    ensure!(
        matches!(refused, Err(ServiceError::Refused { code: ProblemCode::MalformedRequest, .. })),
        "the id of a submission: {refused:?}"
    );
    ensure!(!stage.in_tx(|tx, _, _| Ok(supplementing::was_handed_in(tx, &case)?))?);
    let first = hands_in(stage, &own)?;
    ensure!(first.as_ref().is_ok_and(|done| done.case == case) && hands_in(stage, &own)? == first, "once");
    ensure!(hands_in(stage, &foreign).is_err(), "the id of another one");
    // The notice is open until the job had its turn; another device hands in no second one.
    ensure!(hands_in(stage, &second)? == Err(NotAsked::UnderWay));
    let found = stage.in_tx(|tx, context, _| supplementing::find(tx, context, &case))?;
    ensure!(found.err() == Some(NotAsked::UnderWay));
    ensure!(stage.in_tx(|tx, _, _| Ok(supplementing::was_handed_in(tx, &case)?))?);
    stage.by_centre(&case, Action::SupplementLapsed)?;
    ensure!(
        stage.in_tx(|tx, context, _| supplementing::find(tx, context, &case))?.err()
            == Some(NotAsked::Lapsed)
    );
    let typed = Lookup { number: "XN26112400100013".into(), id_number: "639900199005201035".into() };
    let found = stage.in_tx(|tx, context, now_ms| window::look_up(tx, context, (now_ms, CLERK), &typed))?;
    ensure!(found == LookedUp::NoSuch, "{found:?}");
    Ok(())
}

fn told(
    tx: &mut Tx<'_>,
    context: &Context,
    (now_ms, rng): (i64, &mut ChaCha20Rng),
) -> Result<domain::ids::CaseNo> {
    ensure!(visits::open_of(tx, CLERK)?.is_none() && visits::last_window(tx, CLERK)?.is_none());
    let visit = visits::open(tx, (now_ms, rng), CLERK, ("3", VisitKind::Assisted, true))?;
    let again = visits::open(tx, (now_ms, rng), CLERK, ("4", VisitKind::Window, true))?;
    ensure!(visit == again && visits::open_of(tx, CLERK)?.as_ref() == Some(&visit), "one open visit");
    ensure!(visits::last_window(tx, CLERK)?.as_deref() == Some("3"));
    ensure!(visits::of_clerk(tx, OTHER, &visit.id).is_err(), "nobody else's");
    let form = begin(tx, context, (now_ms + 5 * MINUTE_MS, rng), &visit)?;
    ensure!(drafts::find(tx, OTHER, &form.id, 0)?.is_none() && drafts::of_clerk(tx, OTHER, 0)?.is_empty());
    ensure!(drafts::find(tx, CLERK, &form.id, i64::MAX)?.is_none(), "over");

    // Two pages, of which one is taken away again; what is kept opens with its key and nothing of it is in clear.
    let pages = [Digest::of(b"one"), Digest::of(b"two")];
    for (at, digest) in (1..).zip(&pages) {
        ensure!(drafts::next_page(tx, &form.id)? == at);
        ensure!(drafts::expect_page(tx, (OTHER, &form.id), (at, digest)).is_err());
        ensure!(drafts::expect_page(tx, (CLERK, &form.id), (at, digest))?);
        ensure!(!drafts::expect_page(tx, (CLERK, &form.id), (at, digest))?, "a number is taken once");
    }
    let file = KeptFile { page: 1, digest: pages[0], length: 40, photo: false, brought: Digest::of(b"x") };
    let sealed = Sealed::seal(&form.key, &form.id, &content(vec![file.clone()]), rng)?;
    let as_read = drafts::find(tx, CLERK, &form.id, 0)?.context("a draft")?.nonce();
    let older = Sealed::seal(&form.key, &form.id, &content(Vec::new()), rng)?;
    let save = |tx: &mut Tx<'_>, clerk: &str, sealed: &Sealed| {
        drafts::save(tx, now_ms + 6 * MINUTE_MS, (clerk, &form.id, as_read), sealed)
    };
    ensure!(!save(tx, OTHER, &sealed)? && save(tx, CLERK, &sealed)?);
    ensure!(!save(tx, CLERK, &older)?, "whoever read what is not there any more writes nothing over it");
    let draft = drafts::of_clerk(tx, CLERK, now_ms)?.pop().context("a draft")?;
    let (_, kept) = draft.open(&context.keys)?;
    ensure!(kept.files == [file] && kept.person.name == "样例甲" && draft.saved_at_ms > draft.begun_at_ms);

    let blob = BlobEntry { digest: pages[0], length: 40, kind: BlobKind::Page, page: 1 };
    let at_ms = now_ms + 20 * MINUTE_MS;
    let handed = hand_in(tx, context, (at_ms, rng), (CLERK, &form), vec![blob])?;
    ensure!(handed.left_over == [pages[1]], "what was taken away again");
    ensure!(
        drafts::find(tx, CLERK, &form.id, 0)?.is_none() && drafts::take_away(tx, CLERK, &form.id)?.is_none()
    );
    ensure!(window::made_of(tx, CLERK, &form.id)?.as_ref() == Some(&handed.number));
    ensure!(window::made_of(tx, OTHER, &form.id)?.is_none());
    ensure!(blobs::missing(tx, &form.id)?.is_empty() && visits::open_of(tx, CLERK)?.is_none());
    let visit = visits::of_clerk(tx, CLERK, &visit.id)?;
    ensure!((visit.ended, visit.finished_at_ms) == (End::Served, Some(at_ms)), "{visit:?}");
    visits::finish(tx, at_ms + 1, &visit, End::Left)?;
    ensure!(visits::of_clerk(tx, CLERK, &visit.id)? == visit, "what has ended stays");
    // One more matter of the same person is the next place of the same series.
    let second = begin(tx, context, (at_ms + MINUTE_MS, rng), &visit)?;
    // Somebody ends the visit before that is handed in: the slip is what counts.
    let open = visits::open_of(tx, CLERK)?.context("a visit")?;
    visits::finish(tx, at_ms + MINUTE_MS, &open, End::Left)?;
    hand_in(tx, context, (at_ms + 2 * MINUTE_MS, rng), (CLERK, &second), Vec::new())?;
    let served = visits::of_clerk(tx, CLERK, &visit.id)?;
    ensure!(
        (served.ended, served.finished_at_ms) == (End::Served, Some(at_ms + 2 * MINUTE_MS)),
        "{served:?}"
    );
    let place = window::place(context)?;
    let news = series::news(tx, &place.id)?.context("a series")?;
    ensure!(news.highest_seq == 2 && visits::cases_of(tx, &visit.id)? == 2, "{news:?}");
    Ok(handed.number)
}

fn afterwards(tx: &mut Tx<'_>, context: &Context, number: &domain::ids::CaseNo) -> Result<()> {
    let mine = window::mine(tx, CLERK, i64::MAX as u64)?;
    ensure!(
        mine.len() == 2 && mine[1].number == *number && window::mine(tx, OTHER, i64::MAX as u64)?.is_empty()
    );
    ensure!(window::mine(tx, CLERK, mine[0].server_seq)?.len() == 1, "before a place");
    ensure!(window::mine_numbered(tx, CLERK, number)?.visit == mine[0].visit);
    ensure!(window::mine_numbered(tx, OTHER, number).is_err());
    let id = mine[1].envelope_id;
    let history = cases::history(tx, &id)?;
    let whole = Action::Answerable { clerk: CLERK.into(), visit: VisitKind::Assisted };
    ensure!(history.len() == 2 && history[1].action == whole, "{history:?}");
    let (_, view) = cases::current(tx, &id)?;
    ensure!(view.answerable == Some(Answerable { clerk: CLERK.into(), kind: VisitKind::Assisted }));
    ensure!(window::listed_clerk(tx, &id)?.as_deref() == Some(CLERK));
    let counted = visits::between(tx, 0, i64::MAX)?;
    ensure!(counted.len() == 1 && counted[0].numbers.len() == 2, "{counted:?}");
    let sums = visits::sums(&counted);
    ensure!((sums.all.filling_ms(), sums.all.whole_ms()) == (Some(17 * MINUTE_MS), Some(22 * MINUTE_MS)));
    // Whoever puts the list right by hand is found out.
    let verify = |tx: &mut Tx<'_>| refold::stretch(tx, &context.shelf, -1, 1_000);
    let before = verify(tx)?.differences.len();
    tx.execute(
        "UPDATE visit_case SET clerk = $2 WHERE envelope_id = $1",
        &[id.to_string().into(), OTHER.into()],
    )?;
    let found = verify(tx)?.differences;
    ensure!(found.len() == before + 1 && found.iter().any(|d| d.place == "visit_case.clerk"), "{found:?}");
    tx.execute(
        "UPDATE visit_case SET clerk = $2 WHERE envelope_id = $1",
        &[id.to_string().into(), CLERK.into()],
    )?;
    let mut rng = ChaCha20Rng::seed_from_u64(26);
    let visit =
        visits::open(tx, (counted[0].visit.opened_at_ms, &mut rng), OTHER, ("5", VisitKind::Window, false))?;
    begin(tx, context, (visit.opened_at_ms, &mut rng), &visit)?;
    Ok(())
}

/// What was left open is forgotten on the next day, and a form of it belongs to the visit that is open then.
fn left_open(tx: &mut Tx<'_>, context: &Context, (now_ms, rng): (i64, &mut ChaCha20Rng)) -> Result<()> {
    let window = ("6", VisitKind::Window, true);
    let old = visits::open(tx, (now_ms, rng), CLERK, window)?;
    let form = begin(tx, context, (now_ms, rng), &old)?;
    let next_day = now_ms + DAY_MS;
    ensure!(visits::open_today(tx, now_ms, CLERK)?.is_some_and(|open| open.id == old.id));
    ensure!(visits::open_today(tx, next_day, CLERK)?.is_none(), "of an earlier day");
    let new = visits::open(tx, (next_day, rng), CLERK, window)?;
    ensure!(new.id != old.id && visits::of_clerk(tx, CLERK, &old.id)?.ended == End::Forgotten);
    ensure!(visits::of_form(tx, next_day, CLERK, &old.id)? == new, "whoever comes back");
    hand_in(tx, context, (next_day, rng), (CLERK, &form), Vec::new())?;
    ensure!((visits::cases_of(tx, &old.id)?, visits::cases_of(tx, &new.id)?) == (0, 1));
    let served = visits::of_clerk(tx, CLERK, &new.id)?;
    ensure!((served.ended, served.finished_at_ms) == (End::Served, Some(next_day)), "{served:?}");
    let going_on = |tx: &mut Tx<'_>, after: i64| visits::going_on(tx, next_day + after, CLERK, &new.id);
    ensure!(going_on(tx, visits::SAME_PERSON_MS)?.as_ref() == Some(&served));
    ensure!(going_on(tx, visits::SAME_PERSON_MS + 1)?.is_none(), "half an hour, and not longer");
    ensure!(visits::going_on(tx, next_day, OTHER, &new.id).is_err(), "nobody else's");
    ensure!(visits::of_form(tx, next_day, CLERK, &old.id)?.id == old.id, "nobody else's is open");
    // Forms that are over do not count against the limit; those that are not do.
    let last = visits::open(tx, (next_day, rng), CLERK, window)?;
    for at in 0..drafts::MOST {
        begin(tx, context, (next_day + i64::try_from(at)?, rng), &last)?;
    }
    ensure!(begin(tx, context, (next_day, rng), &last).is_err(), "too many");
    begin(tx, context, (next_day + MINUTE_MS, rng), &last)?;
    for draft in drafts::of_clerk(tx, CLERK, 0)? {
        drafts::take_away(tx, CLERK, &draft.id)?;
    }
    for draft in drafts::of_clerk(tx, CLERK, 0)? {
        drafts::take_away(tx, CLERK, &draft.id)?;
    }
    Ok(())
}

fn old_ones_go(tx: &mut Tx<'_>, before_ms: i64) -> Result<()> {
    let over = drafts::over(tx, before_ms)?;
    ensure!(over.len() == 1 && over[0].1 == OTHER, "{over:?}");
    ensure!(drafts::take_away(tx, CLERK, &over[0].0)?.is_none(), "nobody else's");
    ensure!(drafts::take_away(tx, OTHER, &over[0].0)?.is_some() && drafts::over(tx, before_ms)?.is_empty());
    Ok(())
}

#[test]
fn what_is_opened_at_a_window_is_a_case_like_any_other() -> Result<()> {
    super::review::on_both(|stage| {
        every_statement(stage)?;
        let mut rng = ChaCha20Rng::seed_from_u64(27);
        stage.in_tx(|tx, context, now_ms| Ok(left_open(tx, context, (now_ms + DAY_MS, &mut rng))))??;
        Ok(())
    })
}
