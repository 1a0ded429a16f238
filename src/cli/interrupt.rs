//! Ctrl-C: the first one asks to stop, the second one does not ask.

use crate::cli::failure::complain;
use std::sync::atomic::{AtomicBool, Ordering};

/// Exit code of an interrupted program.
pub const EXIT: u8 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt is only noted.
pub fn listen() {
    // It fails where a handler is there already, and then nothing is lost.
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(EXIT));
        }
        complain("\nstopping: what is done will be written (once more: stop at once)");
    });
}

/// Whether somebody asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
