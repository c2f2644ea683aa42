//! A page printer or print queue over IPP: asked before, given the PDF, and followed until its job has ended.
//!
//! A job that ends well is printed; one that stops with its printer is cancelled after a while and told as broken, so
//! that it does not come out when nobody waits for it any more.
use std::time::{Duration, Instant};

use ipp::operation::IppOperation;
use ipp::operation::builder::IppOperationBuilder as Operation;
use ipp::prelude::{DelimiterTag, IppPayload, IppRequestResponse, Uri};

use super::answer::parse;
use super::http::{self, Failure};
use super::reasons::{JobState, integer, of_answer, of_printer};
use super::wire::Wire;
use super::{PageAddress, PrintError, Printed};
use crate::device::Trouble;

/// Largest PDF that is sent: 64 MiB.
const MAX_BYTES: usize = 64 << 20;
/// How long one call may take.
const CALL: Duration = Duration::from_secs(20);
/// Between two looks at a job.
const GLANCE: Duration = Duration::from_millis(250);
/// How long a job may take from being accepted to its end.
const WHOLE_JOB: Duration = Duration::from_secs(90);
/// How long a job may stand still before it is cancelled: time to put paper in.
const STOPPED: Duration = Duration::from_secs(30);
/// Who asks.
const USER: &str = "jinban";
/// Media type of what is printed.
const PDF: &str = "application/pdf";

/// A page printer.
#[derive(Debug, Clone)]
pub struct PagePrinter {
    address: PageAddress,
    /// See [`STOPPED`]; tests wait less.
    stopped: Duration,
}

impl PagePrinter {
    /// The printer at an address; nothing is opened yet.
    pub fn new(address: PageAddress) -> Self {
        Self { address, stopped: STOPPED }
    }

    /// Cancels a job that stands still after so long instead of 30 s.
    pub fn with_patience(self, stopped: Duration) -> Self {
        Self { stopped, ..self }
    }

    /// Where it is.
    pub fn address(&self) -> &PageAddress {
        &self.address
    }

    /// Asks how it is: nothing for well, or what is wrong.
    pub fn look(&self) -> Option<Trouble> {
        self.ask().unwrap_or_else(Some)
    }

    fn ask(&self) -> Result<Option<Trouble>, Trouble> {
        let wanted = ["printer-state", "printer-state-reasons", "printer-is-accepting-jobs"];
        let question = Operation::get_printer_attributes(self.uri()?).attributes(wanted).build();
        let answer = self.call(question.map_err(|_| Trouble::Unsupported)?, &[]).map_err(trouble_of)?;
        of_answer(&answer)?;
        of_printer(answer.attributes())
    }

    /// Prints a PDF under a name that the printer may show; it must say nothing of a person.
    ///
    /// # Errors
    /// [`PrintError::Refused`] if it would not before anything was sent, [`PrintError::Broken`] if it failed then.
    pub fn print(&self, pdf: &[u8], name: &str) -> Result<Printed, PrintError> {
        if pdf.len() > MAX_BYTES {
            return Err(PrintError::Refused(Trouble::Unsupported));
        }
        let before = self.ask().map_err(PrintError::Refused)?;
        if let Some(trouble) = before.filter(|trouble| !trouble.still_works()) {
            return Err(PrintError::Refused(trouble));
        }
        let uri = self.uri().map_err(PrintError::Refused)?;
        let order = Operation::print_job(uri, IppPayload::empty()).user_name(USER);
        let order = order.job_title(name).document_format(PDF).build();
        let order = order.map_err(|_| PrintError::Refused(Trouble::Unsupported))?;
        let answer = self.call(order, pdf).map_err(|failure| match failure {
            Failure::Before(trouble) => PrintError::Refused(trouble),
            Failure::After(trouble) => PrintError::Broken(trouble),
        })?;
        // A printer that says no has not taken it.
        of_answer(&answer).map_err(PrintError::Refused)?;
        let job = integer(answer.attributes(), DelimiterTag::JobAttributes, "job-id");
        let job = job.ok_or(PrintError::Broken(Trouble::Unsupported))?;
        self.follow(job).map_err(PrintError::Broken)
    }

    /// Follows a job to its end.
    fn follow(&self, job: i32) -> Result<Printed, Trouble> {
        let end = Instant::now() + WHOLE_JOB;
        let mut stands_since: Option<Instant> = None;
        loop {
            match self.state_of(job)? {
                JobState::Completed => return Ok(self.ask().unwrap_or(None).filter(|t| t.still_works())),
                JobState::Ended => return Err(self.why().unwrap_or(Trouble::OutOfOrder)),
                JobState::Open | JobState::Stopped => {}
            }
            // Some printers stop and leave the job open.
            let trouble = self.why();
            let stands = trouble.is_some().then(|| *stands_since.get_or_insert_with(Instant::now));
            stands_since = stands;
            let too_long = stands.is_some_and(|since| since.elapsed() >= self.stopped);
            if too_long || Instant::now() >= end {
                self.cancel(job);
                return Err(trouble.unwrap_or(Trouble::Silent));
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// What keeps the printer from working now.
    fn why(&self) -> Option<Trouble> {
        self.look().filter(|trouble| !trouble.still_works())
    }

    fn state_of(&self, job: i32) -> Result<JobState, Trouble> {
        let question = Operation::get_job_attributes(self.uri()?, job).user_name(USER).build();
        let answer = self.call(question.map_err(|_| Trouble::Unsupported)?, &[]).map_err(trouble_of)?;
        of_answer(&answer)?;
        let state = integer(answer.attributes(), DelimiterTag::JobAttributes, "job-state");
        state.and_then(JobState::of).ok_or(Trouble::Unsupported)
    }

    /// Takes a job back; whether that worked nobody can say for certain, so nobody asks.
    fn cancel(&self, job: i32) {
        let order = self.uri().ok().map(|uri| Operation::cancel_job(uri, job).user_name(USER).build());
        if let Some(Ok(order)) = order {
            let _ = self.call(order, &[]);
        }
    }

    fn uri(&self) -> Result<Uri, Trouble> {
        self.address.text().parse().map_err(|_| Trouble::Unsupported)
    }

    fn call(&self, operation: impl IppOperation, document: &[u8]) -> Result<IppRequestResponse, Failure> {
        let wire = Wire::connect(self.address.address, Instant::now() + CALL).map_err(Failure::Before)?;
        let head = operation.into_ipp_request().to_bytes();
        let answer = http::post(&wire, &self.address, &[&head, document])?;
        parse(answer).ok_or(Failure::After(Trouble::Unsupported))
    }
}

fn trouble_of(failure: Failure) -> Trouble {
    match failure {
        Failure::Before(trouble) | Failure::After(trouble) => trouble,
    }
}
