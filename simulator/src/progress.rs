//! The live line on the terminal; silent when nobody is watching.

use std::rc::Rc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::crowd::{Board, Street};

/// How often the line is drawn anew.
const BEAT: Duration = Duration::from_millis(100);

/// A line that is drawn until it is dropped.
#[derive(Debug)]
pub struct Line {
    bar: ProgressBar,
    beat: Option<JoinHandle<()>>,
}

impl Line {
    /// A spinner with a word about what is being done.
    pub fn step(word: &str) -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(BEAT);
        bar.set_message(word.to_owned());
        Self { bar, beat: None }
    }

    /// The crowd's line: arrived, answered, sold, refused, in flight. Must be made inside
    /// an actix system.
    pub fn crowd(shoppers: u32, street: &Rc<Street>) -> Self {
        let bar = ProgressBar::new(u64::from(shoppers));
        if let Ok(style) = ProgressStyle::with_template("{elapsed:>4} [{bar:30}] {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        let (drawn, street) = (bar.clone(), Rc::clone(street));
        let beat = actix::spawn(async move {
            loop {
                let Board { arrived, answered, sold, refused, in_flight } = &street.board;
                drawn.set_position(answered.get());
                drawn.set_message(format!(
                    "arrived {} · answered {} · sold {} · refused {} · in flight {}",
                    arrived.get(),
                    answered.get(),
                    sold.get(),
                    refused.get(),
                    in_flight.get()
                ));
                sleep(BEAT).await;
            }
        });
        Self { bar, beat: Some(beat) }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(beat) = self.beat.take() {
            beat.abort();
        }
        self.bar.finish_and_clear();
    }
}
