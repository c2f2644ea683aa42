//! How commands and events change the model: one line a command, the work is in the files beside this one. Pure.
use super::{Model, Screen};
use crate::command::Command;
use crate::event::{Event, Job};

impl Model {
    /// Does what the citizen asked; gives the jobs for the desk worker.
    pub fn command(&mut self, command: Command) -> Vec<Job> {
        if self.outage.is_some() && !works_in_outage(&command) {
            return Vec::new();
        }
        // Nobody walks away from the page on which the number is about to appear.
        if self.is_saving() && !matches!(command, Command::Touch | Command::StillHere) {
            return Vec::new();
        }
        self.idle.last_touch_ms = if self.idle.seconds_left.is_none() || command == Command::StillHere {
            self.now_ms
        } else {
            self.idle.last_touch_ms
        };
        self.obey(command)
    }

    fn obey(&mut self, command: Command) -> Vec<Job> {
        match command {
            Command::Touch => Vec::new(),
            Command::StillHere => self.still_here(),
            Command::Start(size) => self.start(size),
            Command::SetSize(size) => self.set_size(size),
            Command::SetHighContrast(on) => {
                self.look.high_contrast = on;
                Vec::new()
            }
            Command::SetLanguage(language) => {
                self.look.language = language;
                Vec::new()
            }
            Command::Home => self.go_home(),
            Command::Back => self.go_back(),
            Command::Finish => self.finish(),
            Command::OpenSearch => self.open(Screen::Search),
            Command::SetQuery(query) => self.set_query(&query),
            Command::ShowPage(page) => self.show_page(page),
            Command::OpenList(list) => self.open(Screen::Items(list)),
            Command::OpenGuide(code) => self.open_guide(code),
            Command::Begin => self.begin(),
            Command::Choose { question, option } => self.choose(&question, option.as_deref()),
            Command::ChangeSituation(question) => self.change_situation(&question),
            Command::MyCases => self.my_cases(),
            Command::OpenHelp => self.open(Screen::Help),
            Command::OpenStations(item) => self.open_stations(item),
            Command::FilterStations { only_open, only_able } => self.filter_stations(only_open, only_able),
            Command::OpenStation(id) => self.open_station(id),
            Command::OpenDevices => self.open_devices(),
            Command::OpenDeviceTrace => self.open(Screen::DeviceTrace),
            Command::CheckDevices => vec![Job::CheckDevices],
            Command::CallStaff => self.call_staff(),
            Command::Focus(key) => self.focus(key),
            Command::Answer { key, value } => self.answer(&key, value),
            Command::ClearAnswer(key) => self.clear_answer(&key),
            Command::AddRow(key) => self.add_row(&key),
            Command::RemoveRow { key, row } => self.remove_row(&key, row),
            Command::UndoRow => self.undo_row(),
            Command::UseCardAddress(key) => self.use_card_address(&key),
            Command::OpenCapture(key) => self.open_capture(&key),
            Command::TakePage(way) => self.take_page(way),
            Command::StopTaking => self.stop_taking(),
            Command::RetakePage => self.retake_page(),
            Command::MoveCorner { corner, at } => self.move_corner(corner, at),
            Command::TurnPage => self.turn_page(),
            Command::WholePage => self.whole_page(),
            Command::UsePage => self.use_page(),
            Command::RemovePage(hash) => self.remove_page(&hash),
            Command::MovePageUp(hash) => self.move_page_up(&hash),
            Command::Continue => self.go_on(),
            Command::Change(key) => self.change(&key),
            Command::JumpTo(key) => self.jump_to(&key),
            Command::Reveal => self.reveal(),
            Command::Submit => self.submit(),
            Command::Resume => self.resume(),
            Command::StartOver => self.start_over(),
            Command::DeleteDraft => self.delete_draft(),
            Command::Print => self.print_slip(self.paper()),
            Command::PrintPage => self.print_slip(self.page_beside()),
            Command::PrintCase(id) => self.print_case(id),
        }
    }

    /// Takes in what a worker reports; gives the jobs that follow from it.
    pub fn event(&mut self, event: Event) -> Vec<Job> {
        let mut jobs = match event {
            Event::Tick { now_ms } => self.tick(now_ms),
            Event::Reader(status) => self.reader_changed(status),
            Event::SecondCard => self.second_card_came(),
            Event::Devices(devices) => {
                self.devices.list = devices;
                Vec::new()
            }
            Event::DeviceTrace(lines) => {
                self.devices.lines = lines;
                Vec::new()
            }
            Event::CardRead(applicant) => self.card_read(*applicant),
            Event::SocialSecurityRead(applicant) => self.social_security_read(*applicant),
            Event::OtherCard(other) => self.other_card(other),
            Event::CardPhoto(photo) => self.photo_came(*photo),
            Event::CardFailed(error) => self.card_failed(error),
            Event::Network(network) => {
                self.network = network;
                Vec::new()
            }
            Event::FormStarted { envelope_id } => self.form_started(envelope_id),
            Event::Queued(slip) => self.queued(*slip),
            Event::SubmitFailed { key } => self.submit_failed(key),
            Event::Delivered { envelope_id, number, at_ms } => self.delivered(envelope_id, number, at_ms),
            Event::PagesSent { envelope_id, pages } => self.pages_sent(envelope_id, pages),
            Event::CaseChanged { envelope_id, state, at_ms } => self.case_changed(envelope_id, state, at_ms),
            Event::Cases { applicant, cases } => self.cases_loaded(&applicant, cases),
            Event::Queue(queue) => {
                self.queue = queue;
                Vec::new()
            }
            Event::Withdrawn(items) => {
                self.withdraw(items);
                Vec::new()
            }
            Event::Outage(outage) => self.outage_changed(outage),
            Event::Catalogue(new) => self.catalogue_came(*new),
            Event::Standing(standing) => {
                self.standing = standing;
                Vec::new()
            }
            Event::Drafts { of, lines } => self.drafts_found(&of, lines),
            Event::DraftKept { envelope_id, kept } => self.draft_kept(envelope_id, kept),
            Event::DraftOpened(opened) => self.draft_opened(*opened),
            Event::DraftLost { item } => self.draft_lost(item),
            Event::Print { envelope_id, kind, step } => {
                self.note_print(envelope_id, (kind, step));
                Vec::new()
            }
            Event::Taking { ticket, page, percent } => self.taking(ticket, page, percent),
            Event::PageTaken(taken) => self.page_taken(*taken),
            Event::TakingEnded { ticket, failed } => self.taking_ended(ticket, failed),
            Event::PageKept(kept) => self.page_kept(*kept),
            Event::PageRefused { envelope_id, key } => self.page_refused(envelope_id, key),
        };
        self.follow_stations();
        jobs.extend(self.follow_devices());
        jobs.extend(self.take_catalogue());
        jobs
    }
}

fn works_in_outage(command: &Command) -> bool {
    matches!(
        command,
        Command::Touch
            | Command::SetSize(_)
            | Command::SetHighContrast(_)
            | Command::SetLanguage(_)
            | Command::CallStaff
            | Command::OpenDevices
            | Command::OpenDeviceTrace
            | Command::CheckDevices
            | Command::OpenStations(_)
            | Command::FilterStations { .. }
            | Command::OpenStation(_)
            | Command::ShowPage(_)
            | Command::Back
            | Command::StillHere
    )
}
