//! Moving between pages; ending a visit.
use domain::ids::ItemCode;

use super::{CardStep, Look, Model, Screen, SearchState, Session, StationsView, TextSize, Toast};
use crate::event::Job;

/// Pages remembered for Back.
const MAX_HISTORY: usize = 32;
/// Characters of a search text.
const MAX_QUERY_CHARS: usize = 40;
/// How long a toast stays, milliseconds (normal, elder).
const TOAST_MS: (i64, i64) = (4_000, 8_000);

impl Model {
    pub(super) fn start(&mut self, size: TextSize) -> Vec<Job> {
        if self.screen != Screen::Attract {
            return Vec::new();
        }
        self.look.size = size;
        let captures = self.capture_devices.any();
        self.session.get_or_insert_with(|| Session { captures, ..Session::new(self.now_ms) });
        self.screen = Screen::Home;
        self.history.clear();
        Vec::new()
    }

    pub(super) fn open(&mut self, screen: Screen) -> Vec<Job> {
        if self.session.is_none() || self.screen == screen {
            return Vec::new();
        }
        if self.history.len() == MAX_HISTORY {
            self.history.remove(0);
        }
        self.history.push(std::mem::replace(&mut self.screen, screen));
        self.list_page = 0;
        Vec::new()
    }

    pub(super) fn open_guide(&mut self, code: ItemCode) -> Vec<Job> {
        if self.catalogue.entry(&code).is_none() { Vec::new() } else { self.open(Screen::Guide(code)) }
    }

    /// To the home page; an open form is forgotten, the person stays.
    pub(super) fn go_home(&mut self) -> Vec<Job> {
        let Some(session) = &mut self.session else { return Vec::new() };
        let wipe = session.item.is_some() || session.cases.is_some();
        session.drop_item();
        self.screen = Screen::Home;
        self.history.clear();
        self.search = SearchState::default();
        self.list_page = 0;
        if wipe { vec![Job::Wipe] } else { Vec::new() }
    }

    pub(super) fn go_back(&mut self) -> Vec<Job> {
        match self.screen {
            Screen::Attract | Screen::OutOfService => Vec::new(),
            Screen::Home => self.finish(),
            Screen::Slip => self.go_home(),
            Screen::Question => self.back_from_question(),
            Screen::Form => self.back_in_form(),
            Screen::Capture => self.back_from_capture(),
            Screen::Check => self.back_to_last_page(),
            _ => self.pop(),
        }
    }

    pub(super) fn pop(&mut self) -> Vec<Job> {
        self.list_page = 0;
        match self.history.pop() {
            // The card page is only on the way: going back from the form skips it.
            Some(Screen::Card) => self.pop(),
            // Nobody is here any more where nothing can be done.
            Some(Screen::OutOfService) => self.finish(),
            Some(screen) => {
                self.screen = screen;
                Vec::new()
            }
            None => self.go_home(),
        }
    }

    /// Ends the visit: nothing of the person stays.
    pub(super) fn finish(&mut self) -> Vec<Job> {
        self.session = None;
        self.screen = if self.outage.is_some() { Screen::OutOfService } else { Screen::Attract };
        self.history.clear();
        self.search = SearchState::default();
        self.list_page = 0;
        self.stations = StationsView::default();
        self.look = Look::default();
        self.toast = None;
        self.second_card = false;
        self.staff_called_ms = None;
        self.idle.seconds_left = None;
        self.idle.last_touch_ms = self.now_ms;
        vec![Job::Wipe]
    }

    pub(super) fn set_query(&mut self, query: &str) -> Vec<Job> {
        let query: String = query.chars().filter(|c| !c.is_control()).take(MAX_QUERY_CHARS).collect();
        self.search = SearchState { found: self.index.search(&query), query, page: 0 };
        Vec::new()
    }

    pub(super) fn show_page(&mut self, page: usize) -> Vec<Job> {
        let page = page.min(1_000);
        match self.screen {
            Screen::Search => self.search.page = page,
            Screen::Stations => self.stations.page = page,
            _ => self.list_page = page,
        }
        Vec::new()
    }

    pub(super) fn my_cases(&mut self) -> Vec<Job> {
        let Some(session) = &mut self.session else { return Vec::new() };
        session.drop_item();
        session.for_cases = true;
        if session.applicant.is_some() && !session.social_security {
            return self.show_cases();
        }
        session.card = if session.social_security { CardStep::UseIdCard } else { CardStep::Waiting };
        self.open(Screen::Card)
    }

    pub(super) fn show_cases(&mut self) -> Vec<Job> {
        let Some(applicant) = self.session.as_ref().and_then(|s| s.applicant.clone()) else {
            return Vec::new();
        };
        self.open(Screen::MyCases);
        vec![Job::LoadCases(Box::new(applicant))]
    }

    pub(super) fn call_staff(&mut self) -> Vec<Job> {
        self.staff_called_ms = Some(self.now_ms);
        self.show_toast("toast.staff_called");
        vec![Job::CallStaff]
    }

    pub(super) fn show_toast(&mut self, key: &'static str) {
        let ms = if self.look.size == TextSize::Elder { TOAST_MS.1 } else { TOAST_MS.0 };
        self.toast = Some(Toast { key, until_ms: self.now_ms + ms });
    }
}
