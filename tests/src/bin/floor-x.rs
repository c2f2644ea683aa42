//! The floor of `start` and `frame`: the smallest X client that maps a window and paints, and paints anew on a press.
//!
//! Usage: `floor-x`, on the display that the environment names. Refuses everything else; it ends with its display.
use anyhow::{Context as _, Result};
use tests::bench::screen::SIZE;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ChangeGCAux, ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask, Rectangle, WindowClass,
};
use x11rb::rust_connection::RustConnection;

/// Colours of the window while nothing and while something is pressed.
const RESTING: u32 = 0x00_50_60_70;
const PRESSED: u32 = 0x00_90_30_20;

fn main() -> Result<()> {
    let (connection, screen) = RustConnection::connect(None)?;
    let screen = connection.setup().roots.get(screen).context("a screen")?;
    let (window, gc) = (connection.generate_id()?, connection.generate_id()?);
    let (width, height) = SIZE;
    let events = EventMask::EXPOSURE | EventMask::BUTTON_PRESS | EventMask::BUTTON_RELEASE;
    let attributes = CreateWindowAux::new().background_pixel(RESTING).event_mask(events);
    let (depth, parent, class) = (screen.root_depth, screen.root, WindowClass::INPUT_OUTPUT);
    connection.create_window(depth, window, parent, 0, 0, width, height, 0, class, 0, &attributes)?;
    connection.create_gc(gc, window, &CreateGCAux::new().foreground(RESTING))?;
    connection.map_window(window)?;
    connection.flush()?;
    loop {
        let colour = match connection.wait_for_event()? {
            Event::ButtonPress(_) => PRESSED,
            Event::ButtonRelease(_) | Event::Expose(_) => RESTING,
            _ => continue,
        };
        connection.change_gc(gc, &ChangeGCAux::new().foreground(colour))?;
        connection.poly_fill_rectangle(window, gc, &[Rectangle { x: 0, y: 0, width, height }])?;
        connection.flush()?;
    }
}
