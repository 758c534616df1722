//! Garbage in any part of a request: an answer below 500, no panic, and the service goes on as before.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use support::{Running, SEVEN, crossroads, instant};

/// Runs cases against one service, and looks in the end whether it is as it was.
fn under_fire<S: Strategy>(cases: u32, strategy: &S, case: impl Fn(&Running, S::Value) -> Result<(), TestCaseError>) {
    let service = Running::start(&crossroads(), None, "");
    let detectors = service.detectors();
    assert_eq!(service.tell(SEVEN, &detectors).status, 200);
    let path = service.timing_path();
    let before = service.get(&path, &[]).json()["revision"].as_u64();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    runner.run(strategy, |value| case(&service, value)).unwrap();
    let after = service.get(&path, &[]);
    assert_eq!(after.status, 200, "{}", after.text());
    assert!(after.json()["revision"].as_u64() >= before);
    let metrics = service.get("/metrics", &[]).text();
    assert!(metrics.contains("greenkerb_request_panics_total 0"), "{metrics}");
    assert!(metrics.contains("greenkerb_optimizer_failures_total 0"), "{metrics}");
}

/// Who has more to say after what was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nobody: the request is whole.
    Answer,
    /// Perhaps the client, which hangs up instead.
    HangUp,
}

/// Sends bytes as they are and reads what comes back until the end.
fn raw(service: &Running, bytes: &[u8], next: Next) -> String {
    let mut stream = TcpStream::connect(service.url.strip_prefix("http://").unwrap()).unwrap();
    // The service may close before it has read everything: what it said counts.
    let _ = stream.write_all(bytes);
    if next == Next::HangUp {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}

/// Status of a raw reply; `None` when the connection was closed without a word.
fn status(reply: &str) -> Option<u16> {
    reply.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

/// A JSON value of any shape, the numbers and texts that hurt among them.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![Just(-0.0), Just(1e308), Just(5e-324), Just(0.1), Just(1.0)].prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
        prop_oneof![
            Just("1970-01-01T07:00:01Z"),
            Just("1970-01-01T07:00:01.05+23:59"),
            Just("-009999-01-01T00:00:00Z"),
            Just("+999999-12-31T23:59:60Z"),
            Just("2026-11-23"),
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,8}", inner, 0..4).prop_map(|m| json!(m)),
        ]
    })
}

/// A report in which some fields are not what they should be.
fn bent_report() -> impl Strategy<Value = Value> {
    let fields = ["detector", "begin", "length_s", "count", "occupancy", "speed_mps", "surplus"];
    let sound = (0u32..60, 0u32..4).prop_map(|(second, count)| {
        json!({ "detector": "from_east_1.stop", "begin": instant(SEVEN + second), "length_s": 1.0, "count": count,
            "occupancy": 0.5 })
    });
    (sound, vec((proptest::sample::select(fields.to_vec()), any_json()), 0..3)).prop_map(|(mut report, bends)| {
        for (field, value) in bends {
            report[field] = value;
        }
        report
    })
}

/// Every item of a batch is accounted for once.
fn accounted(receipt: &Value, items: usize) -> Result<(), TestCaseError> {
    let sum: u64 = ["accepted", "duplicate", "refused_total"].iter().filter_map(|f| receipt[f].as_u64()).sum();
    prop_assert_eq!(sum, items as u64, "{}", receipt);
    Ok(())
}

#[test]
fn bodies_of_any_bytes() {
    under_fire(400, &vec(any::<u8>(), 0..300), |service, body| {
        for path in ["/v1/observations", "/v1/controllers/centre/ack"] {
            let reply = service.post(path, "application/json", &body);
            prop_assert_eq!(reply.status, 400, "{}", reply.text());
            prop_assert_eq!(reply.kind, "application/problem+json");
        }
        Ok(())
    });
}

#[test]
fn batches_of_bent_reports() {
    under_fire(400, &vec(bent_report(), 0..8), |service, reports| {
        let body = json!({ "observations": reports }).to_string();
        let reply = service.post("/v1/observations", "application/json", body.as_bytes());
        prop_assert_eq!(reply.status, 200, "{}", reply.text());
        accounted(&reply.json(), reports.len())
    });
}

#[test]
fn lines_of_anything() {
    let line = prop_oneof![
        3 => bent_report().prop_map(|r| r.to_string().into_bytes()),
        1 => vec(any::<u8>().prop_filter("one line", |b| *b != b'\n'), 0..60),
    ];
    under_fire(400, &vec(line, 0..8), |service, lines| {
        let reply = service.post("/v1/observations", "application/x-ndjson", &lines.join(&b'\n'));
        prop_assert_eq!(reply.status, 200, "{}", reply.text());
        accounted(&reply.json(), lines.iter().filter(|l| !l.trim_ascii().is_empty()).count())
    });
}

#[test]
fn an_array_is_no_report() {
    let service = Running::start(&crossroads(), None, "");
    let report = json!(["from_east_1.stop", instant(SEVEN), 1.0, 1, 0.5, null]);
    let body = json!({ "observations": [report] }).to_string();
    let receipt = service.post("/v1/observations", "application/json", body.as_bytes()).json();
    assert_eq!(receipt["refused"][0]["code"], "malformed", "{receipt}");
    assert_eq!(service.post("/v1/observations", "application/json", b"[[]]").status, 400);
}

#[test]
fn bodies_of_any_json() {
    under_fire(300, &any_json(), |service, value| {
        let body = value.to_string();
        for path in ["/v1/observations", "/v1/controllers/centre/ack"] {
            let reply = service.post(path, "application/json", body.as_bytes());
            prop_assert_eq!(reply.status, 400, "{}", reply.text());
        }
        Ok(())
    });
}

#[test]
fn acknowledgements_of_anything() {
    let fields = ["revision", "hash", "state", "reason", "at"];
    let bends = vec((proptest::sample::select(fields.to_vec()), any_json()), 1..3);
    under_fire(300, &bends, |service, bends| {
        let mut ack = json!({ "revision": 1, "hash": "0", "state": "active", "at": instant(SEVEN) });
        for (field, value) in bends {
            ack[field] = value;
        }
        let body = ack.to_string();
        let reply = service.post("/v1/controllers/centre/ack", "application/json", body.as_bytes());
        prop_assert!(matches!(reply.status, 400 | 409), "{} {}", reply.status, reply.text());
        Ok(())
    });
}

#[test]
fn paths_and_queries_of_anything() {
    let visible = "[!-~]{0,40}";
    let target = prop_oneof![
        visible.prop_map(|t| format!("/{t}")),
        visible.prop_map(|t| format!("/v1/controllers/{t}/timing")),
        // What waits does not wait long here: there is no tag that it could wait beside.
        visible.prop_map(|t| format!("/v1/controllers/centre/timing?{t}")),
        visible.prop_map(|t| format!("/v1/controllers/centre/timing?wait={t}")),
        visible.prop_map(|t| format!("/v1/controllers/centre/history?limit={t}")),
        visible.prop_map(|t| format!("/v1/network/{t}")),
    ];
    under_fire(
        500,
        &(proptest::sample::select(&["GET", "POST", "PUT", "HEAD", "X"][..]), target),
        |service, (m, t)| {
            let request = format!("{m} {t} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
            let reply = raw(service, request.as_bytes(), Next::Answer);
            let status = status(&reply);
            prop_assert!(status.is_some_and(|s| (200..500).contains(&s)), "{} {}: {}", m, t, reply);
            if m == "GET" && status.is_some_and(|s| s >= 400) && !reply.ends_with("\r\n\r\n") {
                prop_assert!(reply.contains("application/problem+json"), "{}", reply);
            }
            Ok(())
        },
    );
}

#[test]
fn headers_of_anything() {
    let names = [
        "accept",
        "content-type",
        "content-length",
        "content-encoding",
        "expect",
        "idempotency-key",
        "if-none-match",
        "last-event-id",
        "transfer-encoding",
        "upgrade",
    ];
    let value = vec(prop_oneof![8 => 0x20u8..0x7f, 1 => 0x80u8..=0xff, 1 => 0u8..0x20], 0..40);
    let headers = vec((proptest::sample::select(names.to_vec()), value), 0..4);
    let line = proptest::sample::select(&["GET /v1/controllers/centre/timing", "POST /v1/observations"][..]);
    under_fire(500, &(line, headers), |service, (line, headers)| {
        let mut request = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n").into_bytes();
        for (name, value) in headers {
            request.extend_from_slice(name.as_bytes());
            request.extend_from_slice(b": ");
            request.extend_from_slice(&value);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        let reply = raw(service, &request, Next::HangUp);
        prop_assert!(status(&reply).is_none_or(|s| s < 500), "{:?}: {}", String::from_utf8_lossy(&request), reply);
        Ok(())
    });
}

#[test]
fn connections_of_anything() {
    under_fire(300, &vec(any::<u8>(), 0..400), |service, bytes| {
        let reply = raw(service, &bytes, Next::HangUp);
        prop_assert!(status(&reply).is_none_or(|s| (400..500).contains(&s)), "{}", reply);
        Ok(())
    });
}
