//! Who has a device file open: what the doctor names where a reader or printer is in use.
//!
//! Refuses to know more than the system shows to this user: of another user's programs nothing is seen.
use std::path::Path;

/// The process that has this device open, as far as this user may see it.
pub(super) fn holder(port: &Path) -> Option<(u32, String)> {
    let device = port.canonicalize().ok()?;
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let mut processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let process = processes.find(|process| {
        let files = std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        files.map(|file| std::fs::read_link(file.path())).any(|target| target.is_ok_and(|t| t == device))
    })?;
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).ok()?;
    Some((process, name.trim().chars().filter(|c| !c.is_control()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_a_file_open_is_found() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let (process, name) = holder(file.path()).expect("this process");
        assert_eq!(process, std::process::id());
        assert!(!name.is_empty());
        assert_eq!(holder(Path::new("/dev/no-such-port")), None);
    }
}
