//! A resident's whole life, and every order of messages that is none.

use super::*;
use crate::Detached;
use crate::perform::panic_message;
use farm_protocol::{Attempt, AttemptId, TaskId};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

struct Sum;

impl Named for Sum {
    const NAME: &'static str = "sum";
    const VERSION: u32 = 1;
    type Params = i64;
    type Welcome = String;
    type LaunchError = String;
    type Request = i64;
    type Response = i64;
    type RequestError = String;
}

/// Sums up; knows whether it was closed by what it leaves behind.
struct Adder(i64);

thread_local! {
    /// How often one was closed, and warmed, in this test.
    static CLOSED: Cell<u32> = const { Cell::new(0) };
    static WARMED: Cell<u32> = const { Cell::new(0) };
}

impl Resident for Adder {
    type Named = Sum;

    fn warm() {
        WARMED.set(WARMED.get() + 1);
    }

    fn on_launch(
        name: &str,
        params: i64,
        _: &Context<'_, NamedWire<Sum>>,
    ) -> Result<(Self, String), String> {
        match params {
            0 => Err(format!("{name} begins with nothing")),
            -1 => panic!("{name} falls"),
            _ => Ok((Self(params), format!("I am {name}"))),
        }
    }

    fn on_request(&mut self, more: i64, _: &Context<'_, NamedWire<Sum>>) -> Result<i64, String> {
        if more == 13 {
            panic!("Ada falls");
        }
        self.0 = self.0.checked_add(more).ok_or("too much")?;
        Ok(self.0)
    }

    fn on_close(self) {
        CLOSED.set(CLOSED.get() + 1);
    }
}

type To = ToNamed<i64, i64>;
type From = FromNamed<String, String, i64, String>;

fn launch(params: i64) -> To {
    let name = "Ada".to_owned();
    To::Launch { name, params }
}

/// What the host answers, or says when it panics.
fn tell(host: &mut Host<Adder>, message: To) -> Result<From, String> {
    let stand_in = Detached::new().expect("a descriptor");
    let id = AttemptId {
        task: TaskId::new(1, 0),
        attempt: Attempt(1),
    };
    let context = Context::detached(id, &stand_in);
    let told = catch_unwind(AssertUnwindSafe(|| host.perform(message, &context)));
    told.map_err(panic_message)
}

#[test]
fn it_is_launched_asked_and_closed() {
    let mut host = Host::<Adder>::new();
    host.warm();
    assert_eq!(WARMED.get(), 1);
    let welcome = From::Launched(Ok("I am Ada".into()));
    assert_eq!(tell(&mut host, launch(1)), Ok(welcome));
    assert_eq!(tell(&mut host, To::Request(2)), Ok(From::Answered(Ok(3))));
    let error = From::Answered(Err("too much".into()));
    assert_eq!(tell(&mut host, To::Request(i64::MAX)), Ok(error));
    // An error has changed nothing, and it goes on.
    assert_eq!(tell(&mut host, To::Request(1)), Ok(From::Answered(Ok(4))));
    assert_eq!(CLOSED.get(), 0);
    drop(host);
    assert_eq!(CLOSED.get(), 1);
}

#[test]
fn who_falls_or_was_never_there_is_not_closed() {
    drop(Host::<Adder>::new());
    let mut host = Host::<Adder>::new();
    let _up = tell(&mut host, launch(1));
    assert_eq!(tell(&mut host, To::Request(13)), Err("Ada falls".into()));
    let after = "a request came, and who was here fell when it treated a request";
    let whole = format!("the master broke its promise to a worker of kind `sum`: {after}");
    assert_eq!(tell(&mut host, To::Request(1)), Err(whole));
    drop(host);
    assert_eq!(CLOSED.get(), 0);
}

/// After these messages, whatever they come to, the last one is a broken promise.
#[track_caller]
fn breaks(before: Vec<To>, last: To, what: &str) {
    let mut host = Host::<Adder>::new();
    for message in before {
        let _answer = tell(&mut host, message);
    }
    let said = tell(&mut host, last).expect_err("that is no order");
    let whole = format!("the master broke its promise to a worker of kind `sum`: {what}");
    assert_eq!(said, whole);
}

#[test]
fn every_other_order_is_a_broken_promise() {
    let request = || To::Request(1);
    breaks(vec![], request(), "a request came before a launch");
    let second = "`Ada` is to be launched in it, and somebody was before";
    breaks(vec![launch(1)], launch(1), second);
    for refused in [0, -1] {
        let refused = || vec![launch(refused)];
        let after = "a request came, and who was here could not be launched";
        breaks(refused(), request(), after);
        let again = "`Ada` is to be launched in it, and who was before could not be launched";
        breaks(refused(), launch(1), again);
    }
}

#[test]
fn who_refuses_says_why_and_is_not_closed() {
    let mut host = Host::<Adder>::default();
    let why = From::Launched(Err("Ada begins with nothing".into()));
    assert_eq!(tell(&mut host, launch(0)), Ok(why));
    assert_eq!(CLOSED.get(), 0);
    assert_eq!(
        format!("{host:?}"),
        r#"Host { house: "could not be launched" }"#
    );
    drop(host);
    assert_eq!(CLOSED.get(), 0);
}
