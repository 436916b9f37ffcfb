//! The stated error, for every wait.

use super::*;

#[test]
fn every_wait_falls_into_the_bucket_that_ends_with_it() {
    let mut last = 0;
    for micros in
        (0..5000).chain((12..40).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]))
    {
        let wait = Duration::from_micros(micros);
        let bucket = bucket_of(wait);
        assert!(bucket >= last || micros < 5000, "{micros} µs");
        last = bucket;
        let said = longest_in(bucket);
        assert!(said >= wait, "{micros} µs are said to be {said:?}");
        let limit = wait.mul_f64(1.032).max(wait + Duration::from_micros(1));
        assert!(said <= limit, "{micros} µs are said to be {said:?}");
    }
    assert_eq!(bucket_of(Duration::MAX), BUCKETS - 1);
}

#[test]
fn quantiles_are_ranks() {
    let mut waits = Waits::new();
    assert_eq!((waits.p50(), waits.p99()), (None, None));
    for millis in 1..=100 {
        waits.record(Duration::from_millis(millis));
    }
    let near = |said: Option<Duration>, millis: u64| {
        let exact = Duration::from_millis(millis);
        let said = said.expect("there are some");
        assert!(
            said >= exact && said <= exact.mul_f64(1.032),
            "{said:?} for {exact:?}"
        );
    };
    near(waits.quantile(0), 1);
    near(waits.p50(), 50);
    near(waits.p99(), 99);
    assert_eq!(waits.quantile(1000), Some(waits.longest()));
    assert_eq!(waits.longest(), Duration::from_millis(100));
    let mut twice = waits.clone();
    twice.merge(&waits);
    assert_eq!((twice.count(), twice.p50()), (200, waits.p50()));
}
