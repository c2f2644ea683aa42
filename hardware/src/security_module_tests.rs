//! A module that answers from a list.
use std::collections::VecDeque;

use super::*;

/// Answers from a list; an empty list means silence.
#[derive(Default)]
struct Script {
    answers: VecDeque<Result<Vec<u8>, TransportError>>,
    asked: Vec<[u8; 2]>,
    times: Vec<Duration>,
}

impl Transport for Script {
    fn exchange(&mut self, frame: &[u8], time: Duration) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        self.times.push(time);
        self.asked.push([frame[7], frame[8]]);
        self.answers.pop_front().unwrap_or(Ok(vec![])).map(Zeroizing::new)
    }
}

fn module(answers: Vec<Result<Vec<u8>, TransportError>>) -> SecurityModule<Script> {
    let transport = Script { answers: answers.into(), ..Script::default() };
    SecurityModule { look_pause: Duration::ZERO, ..SecurityModule::new(transport) }
}

fn sw(sw3: u8) -> Result<Vec<u8>, TransportError> {
    Ok(Answer::encode(sw3, &[]))
}

fn image() -> Result<Vec<u8>, TransportError> {
    Ok(Answer::encode(0x90, &[7; IMAGE_LEN]))
}

const FIND: [u8; 2] = [0x20, 1];
const SELECT: [u8; 2] = [0x20, 2];
const READ: [u8; 2] = [0x30, 1];

#[test]
fn a_card_is_found_selected_and_read() {
    let mut module = module(vec![sw(0x9F), sw(0x90), image()]);
    assert_eq!(*module.read_image().expect("read"), vec![7; IMAGE_LEN]);
    assert_eq!(module.into_transport().asked, [FIND, SELECT, READ]);
}

#[test]
fn broken_frames_and_requests_for_repeats_are_repeated_twice() {
    let mut wrong_sum = Answer::encode(0x90, &[]);
    wrong_sum[10] ^= 1;
    let broken = [sw(0x10), sw(0x11), Ok(wrong_sum), Ok(b"garbage".to_vec()), Err(TransportError::Failed)];
    for fault in broken {
        let mut good = module(vec![sw(0x9F), fault.clone(), fault.clone(), sw(0x90), image()]);
        assert!(good.read_image().is_ok(), "{fault:?}");
        let mut bad = module(vec![sw(0x9F), fault.clone(), fault.clone(), fault.clone(), sw(0x90), image()]);
        assert_eq!(bad.read_image().map_err(ReadError::from).err(), Some(ReadError::LayAgain), "{fault:?}");
        assert_eq!(bad.transport.asked.len(), 4);
    }
}

#[test]
fn a_card_is_looked_for_three_times() {
    let mut late = module(vec![sw(0x80), sw(0x80), sw(0x9F), sw(0x90), image()]);
    assert!(late.read_image().is_ok());
    let mut never = module(vec![sw(0x80), sw(0x80), sw(0x80), sw(0x9F)]);
    assert_eq!(never.read_image().err(), Some(ModuleError::Status(Sw3::NoCard)));
    assert_eq!(never.transport.asked, [FIND; 3]);
    let mut once = module(vec![sw(0x80), sw(0x9F)]).with_one_look();
    assert_eq!(once.read_image().err(), Some(ModuleError::Status(Sw3::NoCard)));
    assert_eq!(once.transport.asked, [FIND]);
}

#[test]
fn refusals_become_the_citizens_or_the_staffs_business() {
    let table = [
        (vec![sw(0x60)], ReadError::OutOfOrder),
        (vec![sw(0x66)], ReadError::OutOfOrder),
        (vec![sw(0x9F), sw(0x81)], ReadError::LayAgain),
        (vec![sw(0x9F), sw(0x90), sw(0x41)], ReadError::LayAgain),
        (vec![sw(0x9F), sw(0x90), Ok(Answer::encode(0x90, &[0; 100]))], ReadError::LayAgain),
        (vec![Err(TransportError::CardRemoved)], ReadError::Removed),
        (vec![Err(TransportError::Unsupported)], ReadError::NoSecurityModule),
        (vec![Err(TransportError::ServiceGone)], ReadError::ReaderGone),
        (vec![Err(TransportError::Busy)], ReadError::Busy),
        (vec![Err(TransportError::Refused)], ReadError::OutOfOrder),
    ];
    for (answers, error) in table {
        let sent = answers.len();
        let mut module = module(answers);
        assert_eq!(module.read_image().map_err(ReadError::from).err(), Some(error));
        assert_eq!(module.transport.asked.len(), sent, "{error:?}: nothing is sent after it");
    }
}

#[test]
fn the_newest_address_and_the_number_are_asked_for() {
    let address: Vec<u8> = "样例路1号".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut with = module(vec![Ok(Answer::encode(0x90, &address))]);
    assert_eq!(with.newest_address().expect("asked").as_deref(), Some(&address));
    assert_eq!(with.transport.asked, [[0x30, 3]]);
    assert_eq!(module(vec![sw(0x91)]).newest_address(), Ok(None));
    let refused = module(vec![sw(0x41)]).newest_address();
    assert_eq!(refused, Err(ModuleError::Status(Sw3::ReadFailed)));

    let mut good = module(vec![Ok(Answer::encode(0x90, &[1; 16]))]);
    assert!(good.sam_id().expect("asked").to_string().starts_with("01.01-"));
    assert_eq!(good.transport.asked, [[0x12, 0xFF]]);
    assert_eq!(module(vec![sw(0x90)]).sam_id(), Err(ModuleError::Short(0)));
}

#[test]
fn a_well_module_says_so() {
    assert_eq!(module(vec![sw(0x90)]).check(), Ok(()));
    assert_eq!(module(vec![sw(0x60)]).check(), Err(ModuleError::Status(Sw3::SelfTestFailed)));
}

#[test]
fn as_many_repeats_as_were_set() {
    for (retries, sends) in [(0, 1), (1, 2), (5, 6), (200, 6)] {
        let mut module = module(vec![sw(0x10); 10]).with_retries(retries);
        assert_eq!(module.check(), Err(ModuleError::Status(Sw3::ReceivedChecksum)));
        assert_eq!(module.transport.asked.len(), sends, "{retries}");
    }
}

#[test]
fn a_card_that_was_read_is_not_found_again_and_known_by_its_address() {
    let table = [(0x90, Ok(true)), (0x91, Ok(true)), (0x41, Ok(false)), (0x80, Ok(false))];
    for (sw3, there) in table {
        let mut module = module(vec![sw(sw3)]);
        assert_eq!(module.still_there(), there, "{sw3:02X}");
        assert_eq!(module.transport.asked, [[0x30, 3]]);
    }
    assert_eq!(module(vec![sw(0x66)]).still_there(), Err(ModuleError::Status(Sw3::NotAuthorised)));
    assert_eq!(module(vec![sw(0x9F)]).finds_card(), Ok(true));
    assert_eq!(module(vec![sw(0x80)]).finds_card(), Ok(false));
    assert_eq!(module(vec![sw(0x60)]).finds_card(), Err(ModuleError::Status(Sw3::SelfTestFailed)));
}

#[test]
fn a_body_number_is_taken_if_there_is_one_of_a_believable_length() {
    let mut good = module(vec![Ok(Answer::encode(0x90, &[0xAB; 8]))]);
    assert_eq!(good.body_number().expect("asked").as_deref(), Some(&vec![0xAB; 8]));
    assert_eq!(good.transport.asked, [[0x30, 5]]);
    for answer in [sw(0x91), sw(0x24), sw(0x90), Ok(Answer::encode(0x90, &[1; 33]))] {
        assert_eq!(module(vec![answer]).body_number(), Ok(None));
    }
}

#[test]
fn a_whole_read_has_five_seconds_and_nothing_is_asked_behind_them() {
    assert_eq!(READ_WITHIN, Duration::from_secs(5));
    let mut module = module(vec![sw(0x9F), sw(0x90), image()]);
    let now = Instant::now();
    module.until(Some(now + Duration::from_millis(900)));
    assert!(module.read_image().is_ok());
    // Each answer has what is left, and no more than its command may take.
    assert!(module.transport.times.iter().all(|time| *time < Duration::from_millis(900)));
    module.until(Some(now + Duration::from_secs(60)));
    assert!(module.check().is_err());
    assert_eq!(module.transport.times.last(), Some(&Command::Status.timeout()));

    let asked = module.transport.asked.len();
    module.until(Some(now));
    assert_eq!(module.read_image().map_err(ReadError::from).err(), Some(ReadError::LayAgain));
    assert_eq!(module.transport.asked.len(), asked, "nothing was sent");
    module.until(None);
    assert!(module.check().is_err(), "the list of answers is empty");
    assert!(module.transport.asked.len() > asked);
}
