//! Files as technicians write them, and what is said of a bad one.
use super::*;

#[test]
fn a_file_with_every_key_is_understood() {
    let text = r#"
# Combined reader of the counter.
[[reader]]
pattern = "synjones*"
route = "control"
presence = "module"
control_function = 1
control_prefix = "02 00 0A"
poll_ms = 500
retries = 4

[[reader]]
pattern = "pass"
route = "pass_through"
cla = 0xFF
ins = 0x70

[[reader]]
port = "/dev/ttyUSB0"
baud = 9600

[[reader]]
pattern = "*"
"#;
    let entries = parse(text).expect("a good file");
    let [ReaderEntry::Pcsc(first), ReaderEntry::Pcsc(pass), serial, ReaderEntry::Pcsc(rest)] = &entries[..]
    else {
        panic!("{entries:?}")
    };
    assert_eq!((first.route, first.control_function, first.retries), (Route::Control, 1, 4));
    assert_eq!(
        (&first.control_prefix[..], first.polled),
        (&[2, 0, 10][..], Some(Duration::from_millis(500)))
    );
    assert!(first.is_for("SYNJONES 1") && !first.is_for("other"));
    assert_eq!((pass.route, pass.class, pass.instruction), (Route::PassThrough, 0xFF, 0x70));
    assert_eq!((rest.route, rest.polled, rest.retries), (Route::Auto, None, RETRIES));
    let ReaderEntry::Serial { port, baud, poll, retries } = serial else { panic!("{serial:?}") };
    assert_eq!((port.as_str(), *baud, *poll, *retries), ("/dev/ttyUSB0", 9600, MIN_POLL, RETRIES));
}

#[test]
fn a_bad_file_names_line_and_key() {
    let table = [
        ("[[reader]]\npattern = \"a\"\nrout = \"auto\"", "line 3: unknown field `rout`"),
        ("readers = 1", "line 1: unknown field `readers`"),
        ("[[reader]]\npattern = ", "line 2: "),
        ("[[reader]]\npattern = \"a\"\n\nroute = \"usb\"", "line 4: `route` must be"),
        ("[[reader]]\nport = \"COM1\"", "`port` must be the absolute path"),
        ("[[reader]]\nport = \"/dev/a\"\nbaud = 300", "line 3: `baud` must be"),
        ("[[reader]]\nport = \"/dev/a\"\nroute = \"control\"", "`route` must be serial"),
        ("[[reader]]\nport = \"/dev/a\"\ncla = 0xFF", "line 3: `cla` is for readers behind"),
        ("[[reader]]\npattern = \"a\"\nport = \"/dev/a\"", "line 3: `port` must not stand beside"),
        ("[[reader]]\nretries = 1", "line 1: `pattern` or `port`"),
        ("[[reader]]\npattern = \"a\"\nretries = 6", "line 3: `retries` must be"),
        ("[[reader]]\npattern = \"a\"\nretries = -1", "line 3: "),
        ("[[reader]]\npattern = \"a\"\npoll_ms = 299", "line 3: `poll_ms` must be"),
        ("[[reader]]\npattern = \"a\"\npoll_ms = 5001", "line 3: `poll_ms` must be"),
        ("[[reader]]\npattern = \"a\"\ncla = 0x00", "line 3: `cla` must be"),
        ("[[reader]]\npattern = \"a\"\nins = 0x20", "line 3: `ins` must not be 0x20"),
        ("[[reader]]\npattern = \"a\"\ncontrol_prefix = \"0\"", "line 3: `control_prefix` must be"),
        ("[[reader]]\npattern = \"a\"\nbaud = 9600", "line 3: `baud` is for serial"),
        ("[[reader]]\npattern = \"a\"\nroute = \"serial\"", "`route` serial needs a port"),
        ("[[reader]]\npattern = \"a\"\npresence = \"module\"", "line 3: `presence` by the module needs"),
        ("[[reader]]\npattern = \"\"", "line 2: `pattern` must have"),
        ("", "line 1: `reader` must stand there once"),
    ];
    for (text, wanted) in table {
        let said = parse(text).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains(wanted), "{text}\n{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let nine = "[[reader]]\npattern = \"a\"\n".repeat(9);
    assert!(parse(&nine).expect_err("too many").to_string().starts_with("line 17: `reader`"));
}

#[test]
fn a_file_that_is_not_there_or_far_too_long_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(load(&folder.path().join("none.toml")), Err(ReadersError::Read(_))));
    let path = folder.path().join("long.toml");
    std::fs::write(&path, "#".repeat(20_000)).expect("written");
    assert!(matches!(load(&path), Err(ReadersError::TooLong)));
    std::fs::write(&path, "[[reader]]\npattern = \"a\"\n").expect("written");
    assert_eq!(load(&path).expect("good").len(), 1);
}
