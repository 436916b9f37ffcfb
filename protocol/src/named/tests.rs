//! Every type of a kind of named workers is in its hash, what crosses the pipe comes back, views are short.

use super::*;
use crate::{decode, encode};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

/// A kind with these six types.
struct Of<T>(PhantomData<T>);

impl<P, W, L, R, A, E> Named for Of<(P, W, L, R, A, E)>
where
    P: Clone + Serialize + DeserializeOwned + Schema + Send + 'static,
    W: Serialize + DeserializeOwned + Schema + Send + 'static,
    L: Debug + Serialize + DeserializeOwned + Schema + Send + 'static,
    R: Clone + Debug + Serialize + DeserializeOwned + Schema + Send + Sync + 'static,
    A: Clone + Serialize + DeserializeOwned + Schema + Send + 'static,
    E: Clone + Serialize + DeserializeOwned + Schema + Send + 'static,
{
    const NAME: &'static str = "of";
    const VERSION: u32 = 3;
    type Params = P;
    type Welcome = W;
    type LaunchError = L;
    type Request = R;
    type Response = A;
    type RequestError = E;
}

fn hash<T>() -> u64
where
    Of<T>: Named,
{
    NamedWire::<Of<T>>::schema_hash()
}

#[test]
fn every_type_is_in_the_hash_and_so_is_its_place() {
    let hashes = [
        hash::<(u8, u8, u8, u8, u8, u8)>(),
        hash::<(u16, u8, u8, u8, u8, u8)>(),
        hash::<(u8, u16, u8, u8, u8, u8)>(),
        hash::<(u8, u8, u16, u8, u8, u8)>(),
        hash::<(u8, u8, u8, u16, u8, u8)>(),
        hash::<(u8, u8, u8, u8, u16, u8)>(),
        hash::<(u8, u8, u8, u8, u8, u16)>(),
    ];
    for (index, hash) in hashes.iter().enumerate() {
        assert!(!hashes[..index].contains(hash), "{index} of {hashes:?}");
    }
}

#[test]
fn the_hello_is_that_of_the_kind() {
    let hello = NamedWire::<Of<(u8, u8, u8, u8, u8, u8)>>::hello();
    assert_eq!((hello.name.as_str(), hello.version), ("of", 3));
}

#[test]
fn what_is_sent_comes_back() {
    type To = ToNamed<u32, String>;
    let name = "a name".to_string();
    for message in [To::Launch { name, params: 7 }, To::Request("do".into())] {
        let bytes = encode(&message, 100).expect("short");
        assert_eq!(decode::<To>(&bytes).expect("its own bytes"), message);
    }
    type From = FromNamed<u32, bool, String, u8>;
    for message in [
        From::Launched(Ok(7)),
        From::Launched(Err(true)),
        From::Answered(Ok("done".into())),
        From::Answered(Err(9)),
    ] {
        let bytes = encode(&message, 100).expect("short");
        assert_eq!(decode::<From>(&bytes).expect("its own bytes"), message);
    }
}

fn view(request: &Vec<String>) -> String {
    Of::<(u8, u8, u8, Vec<String>, u8, u8)>::view(request)
}

#[test]
fn a_view_is_the_debug_text_as_far_as_it_is_short() {
    assert_eq!(view(&vec!["a".into(), "b".into()]), r#"["a", "b"]"#);
    // Brackets and quotes are four bytes.
    let fits = "x".repeat(VIEW_MAX - 4);
    assert_eq!(view(&vec![fits.clone()]).len(), VIEW_MAX);
    assert!(!view(&vec![fits]).contains('…'));
    for letter in ["x", "ü", "語", "😀"] {
        for length in VIEW_MAX / 4 - 3..VIEW_MAX + 3 {
            let long = view(&vec![letter.repeat(length), letter.repeat(VIEW_MAX)]);
            assert!(long.len() <= VIEW_MAX, "{} bytes", long.len());
            assert!(long.ends_with('…'), "{long}");
        }
    }
}
