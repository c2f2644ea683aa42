//! `frame`: from a press to the changed pixel of the button under Xvfb with llvmpipe at 1280x800, beside a bare X
//! client; what the terminal uses of a core while nobody is there; its own work on a frame of the largest form.
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use sync_server::startup::load_catalogue;
use terminal::model::TextSize;
use tests::bench::centre::Centre;
use tests::bench::form_frame;
use tests::bench::process::{Program, pause};
use tests::bench::row::Row;
use tests::bench::screen::{ASIDE, ON_BUTTON, Screen, bare_client, terminal};
use tests::bench::stats::{median, percentile};
use tests::bench::usage;
use tests::binaries::repository;

/// A page at rest keeps its pixel for this long.
const STILL: Duration = Duration::from_millis(300);
/// From a movement or a release to the next press, so that the three frames that egui draws after any event are over:
/// a finger comes down on a page at rest and without a movement before it. No multiple of a frame.
const BETWEEN: Duration = Duration::from_millis(211);

fn main() -> Result<()> {
    let quick = std::env::args().any(|a| a == "--quick");
    let (rounds, presses, idle) = if quick { (2, 15, 5) } else { (5, 60, 20) };
    let folder = tempfile::tempdir()?;
    let centre = Centre::start(folder.path(), 0)?;
    let screen = Screen::start(folder.path())?;
    let data = folder.path().join("terminal");
    let log = folder.path().join("window.log");
    let (mut real, mut floor) = (Vec::new(), Vec::new());
    let mut idle_percent = Vec::new();
    for round in 0..rounds {
        let sides: [(bool, Command); 2] =
            [(true, terminal(&screen, &centre, &data)?), (false, bare_client(&screen)?)];
        for (is_real, command) in sides {
            let empty = screen.pixel(ON_BUTTON)?;
            let mut program = Program::start("the window", command, &log)?;
            screen.other_than(ON_BUTTON, empty, false)?;
            screen.at_rest(ON_BUTTON, STILL)?;
            let timed = (0..presses).map(|_| press_to_pixel(&screen)).collect::<Result<Vec<_>>>()?;
            if is_real {
                real.extend(timed)
            } else {
                floor.extend(timed)
            }
            if is_real && round == 0 {
                // The frames that follow the last release are no idle time.
                pause(STILL);
                idle_percent.push(idle_share(&program, Duration::from_secs(idle))? * 100.0);
            }
            program.stop()?;
            screen.at_rest(ON_BUTTON, STILL)?;
        }
    }
    for (name, share) in [("frame.press_to_pixel_p50", 0.5), ("frame.press_to_pixel_p95", 0.95)] {
        Row::beside(name, percentile(&real, share), "ms", percentile(&floor, share)).tell()?;
    }
    Row::alone("frame.idle_cpu", percentile(&idle_percent, 0.5), "%").tell()?;
    largest_form(rounds)
}

/// In both sizes of text: one question a page for old people, many for others.
fn largest_form(rounds: usize) -> Result<()> {
    let sample = load_catalogue(&repository().join("assets/catalogue"))?;
    for (name, size) in [("normal", TextSize::Normal), ("elder", TextSize::Elder)] {
        let taken = form_frame::milliseconds(&sample, size, rounds)?;
        Row::alone(&format!("frame.largest_form_{name}"), median(&taken), "ms").tell()?;
    }
    Ok(())
}

/// Presses the button, lets go beside it so that nothing is opened, and gives the milliseconds to the first change.
fn press_to_pixel(screen: &Screen) -> Result<f64> {
    screen.point(ON_BUTTON)?;
    pause(BETWEEN);
    let resting = screen.pixel(ON_BUTTON)?;
    let pressed = Instant::now();
    screen.press()?;
    let colour = screen.other_than(ON_BUTTON, resting, true)?;
    let took = pressed.elapsed().as_secs_f64() * 1e3;
    screen.point(ASIDE)?;
    pause(BETWEEN);
    screen.release()?;
    screen.other_than(ON_BUTTON, colour, false)?;
    Ok(took)
}

/// Processor time of a program and its children over a span in which nothing happens, as a share of one core.
fn idle_share(program: &Program, span: Duration) -> Result<f64> {
    let (before, started) = (usage::cpu_ms_of_tree(program.pid())?, Instant::now());
    pause(span);
    let used = usage::cpu_ms_of_tree(program.pid())? - before;
    Ok(used / (started.elapsed().as_secs_f64() * 1e3))
}
