//! Polling, waiting and streaming: a timing is sent when it is new, and only then.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use support::{Running, SEVEN, agent, crossroads, try_get};

/// Kept plans are published anew each cycle, so that news comes soon.
const RESTLESS: &str = "[optimizer]\nvalidity = 6000\nrenew_before = 5999\n";

fn started(data: &tempfile::TempDir) -> (Running, Vec<String>) {
    let service = Running::start(&crossroads(), Some(data.path()), RESTLESS);
    let detectors = service.detectors();
    assert_eq!(service.tell(SEVEN, &detectors).status, 200);
    (service, detectors)
}

/// Tells second after second until the timing is another one.
fn until_news(service: &Running, detectors: &[String], path: &str, etag: &str) -> u32 {
    for second in SEVEN + 1..SEVEN + 600 {
        service.tell(second, detectors);
        if service.get(path, &[("if-none-match", etag)]).status == 200 {
            return second;
        }
    }
    panic!("ten minutes without a new timing");
}

#[test]
fn before_anything_is_known_a_poll_is_told_so() {
    let service = Running::start(&crossroads(), None, "");
    let reply = service.get(&service.timing_path(), &[]);
    assert_eq!((reply.status, reply.kind.as_str()), (503, "application/problem+json"));
    assert_eq!(reply.json()["type"], "/problems/no-plan");
    service.tell(SEVEN, &service.detectors());
    let timing = service.get(&service.timing_path(), &[]).json();
    assert_eq!(timing["revision"], 1);
    assert_eq!(timing["plan"], timing["fallback"], "the first timing is the time-of-day plan");
}

#[test]
fn an_unchanged_timing_is_not_sent_again() {
    let data = tempfile::tempdir().unwrap();
    let (service, detectors) = started(&data);
    let path = service.timing_path();
    let first = service.get(&path, &[]);
    assert_eq!((first.status, first.kind.as_str()), (200, "application/json"));
    let etag = first.etag.as_str();
    let weak = format!("W/{etag}");
    let among = format!("\"x\", {etag}");
    for known in [etag, &weak, &among, "*"] {
        let reply = service.get(&path, &[("if-none-match", known)]);
        assert_eq!((reply.status, reply.etag.as_str(), reply.body.len()), (304, etag, 0), "{known}");
    }
    for other in ["\"x\"", "", "x", "\"\u{e4}\""] {
        let reply = service.get(&path, &[("if-none-match", other)]);
        assert_eq!((reply.status, &reply.body), (200, &first.body), "{other}");
    }
    until_news(&service, &detectors, &path, etag);
    let second = service.get(&path, &[("if-none-match", etag)]);
    assert_eq!(second.status, 200);
    assert!(second.json()["revision"].as_u64() > first.json()["revision"].as_u64());
    assert_ne!(second.etag, etag);
}

/// A plain poll does not pass through the router; one whose name is written otherwise, or with a query, does.
#[test]
fn a_poll_is_answered_alike_whichever_way_it_takes() {
    let data = tempfile::tempdir().unwrap();
    let (service, _) = started(&data);
    let plain = service.timing_path();
    let name = plain.strip_prefix("/v1/controllers/").and_then(|p| p.strip_suffix("/timing")).unwrap();
    let escaped: String = name.bytes().map(|b| format!("%{b:02X}")).collect();
    let etag = service.get(&plain, &[]).etag;
    let told = |path: &str, known: &str| {
        let reply = agent().get(format!("{}{path}", service.url)).header("if-none-match", known).call().unwrap();
        let mut headers: Vec<_> = reply.headers().iter().map(|(k, v)| (k.to_string(), v.clone())).collect();
        headers.retain(|(name, _)| name != "date");
        headers.sort_by(|a, b| a.0.cmp(&b.0));
        (reply.status(), headers, reply.into_body().read_to_vec().unwrap())
    };
    for known in ["\"x\"", etag.as_str()] {
        let straight = told(&plain, known);
        assert_eq!(straight.0, if known == etag { 304 } else { 200 });
        for other in [format!("/v1/controllers/{escaped}/timing"), format!("{plain}?")] {
            assert_eq!(told(&other, known), straight, "{other}");
        }
    }
}

#[test]
fn head_is_get_without_a_body() {
    let data = tempfile::tempdir().unwrap();
    let (service, _) = started(&data);
    let path = service.timing_path();
    let body = service.get(&path, &[]).body;
    let reply = agent().head(format!("{}{path}", service.url)).call().unwrap();
    let header = |name: &str| reply.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    assert_eq!(reply.status(), 200);
    assert_eq!(header("content-length"), body.len().to_string());
    assert!(header("etag").starts_with('"'));
    assert_eq!(header("greenkerb-server-time"), "1970-01-01T07:00:01Z");
}

#[test]
fn a_waiting_poll_is_answered_by_the_news() {
    let data = tempfile::tempdir().unwrap();
    let (service, detectors) = started(&data);
    let path = service.timing_path();
    let first = service.get(&path, &[]);
    // Nothing comes: the wait ends by itself.
    let reply = service.get(&format!("{path}?wait=100ms"), &[("if-none-match", &first.etag)]);
    assert_eq!(reply.status, 304);
    // News that is there already is not waited for.
    let reply = service.get(&format!("{path}?wait=60s"), &[("if-none-match", "\"another\"")]);
    assert_eq!(reply.status, 200);
    let url = format!("{}{path}?wait=60s", service.url);
    let etag = first.etag.clone();
    let waiting = std::thread::spawn(move || try_get(&agent(), &url, &[("if-none-match", &etag)]).unwrap());
    until_news(&service, &detectors, &path, &first.etag);
    let news = waiting.join().unwrap();
    assert_eq!(news.status, 200);
    assert!(news.json()["revision"].as_u64() > first.json()["revision"].as_u64());
}

/// Reads events from a stream as (id, data).
struct Events(BufReader<TcpStream>);

impl Events {
    fn open(service: &Running, path: &str, seen: Option<&str>) -> Self {
        let address = service.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let seen = seen.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\n{seen}\r\n").unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while reader.read_line(&mut head).unwrap() > 2 {}
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        Self(reader)
    }

    fn next(&mut self) -> (String, String) {
        let (mut name, mut id) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            if let Some(text) = line.strip_prefix("event: ") {
                text.trim_end().clone_into(&mut name);
            } else if let Some(text) = line.strip_prefix("id: ") {
                text.trim_end().clone_into(&mut id);
            } else if let Some(text) = line.strip_prefix("data: ") {
                assert_eq!(name, "timing");
                return (id, text.trim_end().to_owned());
            }
        }
    }
}

#[test]
fn a_stream_begins_with_what_is_and_goes_on_with_what_comes() {
    let data = tempfile::tempdir().unwrap();
    let (service, detectors) = started(&data);
    let path = service.timing_path();
    let events = path.replace("/timing", "/events");
    let first = service.get(&path, &[]);
    let mut stream = Events::open(&service, &events, None);
    assert_eq!(stream.next(), ("1".to_owned(), first.text()));
    // Who has seen the first does not get it again.
    let mut resumed = Events::open(&service, &events, Some("1"));
    until_news(&service, &detectors, &path, &first.etag);
    let second = service.get(&path, &[]);
    let expected = (second.json()["revision"].to_string(), second.text());
    assert_eq!(stream.next(), expected);
    assert_eq!(resumed.next(), expected);
}

#[test]
fn five_hundred_waiting_polls_all_get_the_news() {
    let data = tempfile::tempdir().unwrap();
    let (service, detectors) = started(&data);
    let path = service.timing_path();
    let first = service.get(&path, &[]);
    let address = service.url.strip_prefix("http://").unwrap().to_owned();
    let waiting: Vec<TcpStream> = (0..500)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).unwrap();
            write!(
                stream,
                "GET {path}?wait=60s HTTP/1.1\r\nhost: x\r\nif-none-match: {}\r\nconnection: close\r\n\r\n",
                first.etag
            )
            .unwrap();
            stream
        })
        .collect();
    until_news(&service, &detectors, &path, &first.etag);
    let news = service.get(&path, &[]).text();
    for mut stream in waiting {
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with(&news), "{reply}");
    }
}
