//! A named worker in a process of its own, over the pipes.

use crate::master::{Master, said};
use farm_protocol::{
    ContextUpdate, FrameKind, FromNamed, Named, NamedWire, Never, ToNamed, Wire, encode_request,
};
use farm_worker::{Context, Resident, exit};
use std::io::Write;

pub(crate) struct Diaries;

impl Named for Diaries {
    const NAME: &'static str = "diary";
    const VERSION: u32 = 1;
    type Params = Vec<String>;
    type Welcome = u32;
    type LaunchError = String;
    type Request = String;
    type Response = Vec<String>;
    type RequestError = String;
}

/// Keeps what it is told.
pub(crate) struct Diary {
    name: String,
    pages: Vec<String>,
}

impl Resident for Diary {
    type Named = Diaries;

    fn on_launch(
        name: &str,
        pages: Vec<String>,
        _: &Context<'_, NamedWire<Diaries>>,
    ) -> Result<(Self, u32), String> {
        let name = name.to_owned();
        Ok((Self { name, pages }, std::process::id()))
    }

    fn on_request(
        &mut self,
        page: String,
        _: &Context<'_, NamedWire<Diaries>>,
    ) -> Result<Vec<String>, String> {
        if page.is_empty() {
            return Err(format!("{} has nothing to write", self.name));
        }
        self.pages.push(page);
        Ok(self.pages.clone())
    }

    fn on_close(self) {
        let last = format!("{} closed after {} pages\n", self.name, self.pages.len());
        std::io::stdout()
            .write_all(last.as_bytes())
            .expect("it is read");
    }
}

type To = ToNamed<Vec<String>, String>;
type From = FromNamed<u32, String, Vec<String>, String>;

fn send(master: &mut Master, number: u64, message: &To) {
    let kind = master.hello.find(&NamedWire::<Diaries>::hello());
    let mut payload = Vec::new();
    let nothing: Option<&ContextUpdate<Never>> = None;
    encode_request(nothing, message, &mut payload, 1_000).expect("short");
    master.append_to(kind.expect("it is there"), number, &payload);
    master.write();
}

fn ask(master: &mut Master, number: u64, message: &To) -> From {
    send(master, number, message);
    master.replied_with(number)
}

pub(crate) fn somebody_is_launched_asked_and_closed() {
    let mut master = Master::start();
    let launch = To::Launch {
        name: "Anne".into(),
        params: vec!["one".into()],
    };
    let here = From::Launched(Ok(master.pid()));
    assert_eq!(ask(&mut master, 1, &launch), here);
    let both = From::Answered(Ok(vec!["one".into(), "two".into()]));
    assert_eq!(ask(&mut master, 2, &To::Request("two".into())), both);
    let error = From::Answered(Err("Anne has nothing to write".into()));
    assert_eq!(ask(&mut master, 3, &To::Request(String::new())), error);
    assert_eq!(master.stop().code(), Some(0));
    assert!(master.last_words().contains("Anne closed after 2 pages"));
}

pub(crate) fn a_request_before_a_launch_costs_the_worker() {
    let mut master = Master::start();
    send(&mut master, 1, &To::Request("early".into()));
    let (kind, head, rest) = master.about();
    assert_eq!((kind, head.number), (FrameKind::Panicked, 1));
    let promise = "the master broke its promise to a worker of kind `diary`";
    assert!(said(&rest).starts_with(promise), "{}", said(&rest));
    assert_eq!(master.wait().code(), Some(exit::PANICKED));
}
