//! Playing sessions.

use crate::model::scenario::{Buffer, Session};
use crate::scenario::default::{DefaultValue, guess, required, sourced};
use crate::scenario::distribution::exponentials;
use crate::scenario::reader::Range;
use crate::scenario::section::Section;

const PATIENCE: &str = "viewers begin to leave after 2 s: Krishnan and Sitaraman, Video Stream \
     Quality Impacts Viewer Behavior, IMC 2012";
const OPEN_CONNECT: &str =
    "https://blog.apnic.net/2018/06/20/netflix-content-distribution-through-open-connect/";

/// How sessions play; `None` where the markets bring plain requests.
pub fn session(top: &mut Section, plain: bool) -> Option<Session> {
    if plain {
        if top.has("session") {
            top.take("session");
            top.wrong(
                "session",
                "there are no sessions: the markets bring plain requests",
                "give the markets `starts` instead of `requests`, or remove it",
            );
        }
        return None;
    }
    let mut section = top.section("session");
    let reader = section.reader;
    let length = section.figure("length", guess("30min"), |node, path| {
        exponentials(reader, node, path)
    });
    let media = [("cdn", false), ("region", true)];
    if !section.has("media") {
        section.note_default("media", &sourced("cdn", OPEN_CONNECT));
    }
    Some(Session {
        length,
        buffer: buffer(&mut section),
        media_from_region: section.choice("media", &media),
        retry_secs: section.secs("retry", guess("5s"), Range::new(0.1, 3600.0)),
        patience_secs: section.secs("patience", sourced("2s", PATIENCE), Range::new(0.0, 3600.0)),
        resume_secs: section.secs("resume", guess("2s"), Range::new(0.0, 3600.0)),
        download_speed: section.number("download_speed", guess("4"), Range::new(1.0, 1e3)),
    })
}

fn buffer(section: &mut Section) -> Buffer {
    let default: DefaultValue = guess("{ uniform = ['20s', '120s'] }");
    if !section.child_has("buffer", "filling") {
        return Buffer::Level(section.dist("buffer", default));
    }
    let mut buffer = section.section("buffer");
    let mut filling = buffer.section("filling");
    let start = filling.secs("start", required("2s"), Range::new(0.0, 86_400.0));
    let max = filling.secs("max", required("120s"), Range::positive(86_400.0));
    let length = filling.secs("length", required("30min"), Range::SOME_SPAN);
    if max < start {
        filling.wrong("max", "is below start", "make max at least start");
    }
    Buffer::Filling { start, max, length }
}
