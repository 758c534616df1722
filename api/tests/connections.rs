//! Clients that are slow, many, or will not go.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use support::{Running, SEVEN, crossroads};

/// Long beyond anything the limits in these tests allow; nothing is measured with it.
const PATIENCE: Duration = Duration::from_secs(60);

fn service(settings: &str) -> (Running, tempfile::TempDir) {
    let data = tempfile::tempdir().unwrap();
    let service = Running::start(&crossroads(), Some(data.path()), settings);
    assert_eq!(service.tell(SEVEN, &service.detectors()).status, 200);
    (service, data)
}

fn connect(service: &Running) -> TcpStream {
    let stream = TcpStream::connect(service.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything until the other side closes.
fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    match stream.read_to_end(&mut text) {
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::ConnectionReset => {}
        Err(e) => panic!("it is not closed: {e}"),
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let (service, _data) = service("header_timeout_s = 0.3\n");
    let mut slow = connect(&service);
    slow.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n").unwrap();
    let mut silent = connect(&service);
    rest(&mut slow);
    rest(&mut silent);
    assert_eq!(service.get("/livez", &[]).status, 200);
}

#[test]
fn a_body_that_drips_is_cut_off_and_told() {
    let (service, _data) = service("body_timeout_s = 0.5\n");
    let mut slow = connect(&service);
    let head =
        "POST /v1/observations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n";
    write!(slow, "{head}connection: close\r\n\r\n").unwrap();
    let mut drip = slow.try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        let started = Instant::now();
        while started.elapsed() < PATIENCE && drip.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let mut head = [0; 12];
    slow.read_exact(&mut head).unwrap();
    assert_eq!(std::str::from_utf8(&head).unwrap(), "HTTP/1.1 408");
    drop(slow.shutdown(std::net::Shutdown::Both));
    dripping.join().unwrap();
    assert_eq!(service.get("/livez", &[]).status, 200);
}

#[test]
fn too_large_a_body_is_refused_before_it_is_sent_and_while() {
    let (service, _data) = service("body_bytes_max = 20000\n");
    let mut told = connect(&service);
    let head = "POST /v1/observations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n";
    write!(told, "{head}content-length: 1000000000000\r\n\r\n").unwrap();
    let answer = rest(&mut told);
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("application/problem+json"), "{answer}");
    let mut untold = connect(&service);
    write!(untold, "{head}transfer-encoding: chunked\r\n\r\n").unwrap();
    for _ in 0..500 {
        let _ = write!(untold, "c8\r\n{}\r\n", " ".repeat(200));
    }
    let mut head = [0; 12];
    untold.read_exact(&mut head).unwrap();
    assert_eq!(std::str::from_utf8(&head).unwrap(), "HTTP/1.1 413");
}

/// Bodies that are on their way hold memory, all of them together so much; who finds none is told when to come again.
#[test]
fn bodies_share_their_memory() {
    let (service, _data) = service("body_bytes_max = 65536\nbodies_bytes_max = 131072\nbody_timeout_s = 30.0\n");
    let head =
        "POST /v1/observations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 65000\r\n\r\n";
    // Nothing tells when two have come; a third that is too early may take what one of them needs, and all begin again.
    let refused = (1..=20).find_map(|patience| {
        let mut held: Vec<TcpStream> = (0..2).map(|_| connect(&service)).collect();
        for stream in &mut held {
            write!(stream, "{head}{}", " ".repeat(64_990)).unwrap();
        }
        std::thread::sleep(Duration::from_millis(20 * patience));
        let mut third = connect(&service);
        write!(third, "{}{}", head.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"), " ".repeat(65_000)).unwrap();
        let answer = rest(&mut third);
        assert!(answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 503"), "{answer}");
        answer.starts_with("HTTP/1.1 503").then_some((answer, held))
    });
    let (refused, held) = refused.expect("no memory is left");
    let refused = refused.to_lowercase();
    assert!(refused.contains("retry-after: 1"), "{refused}");
    // Nobody else is kept from anything that needs none.
    assert_eq!(service.get(&service.timing_path(), &[]).status, 200);
    drop(held);
    let taken = (0..200).find(|_| {
        std::thread::sleep(Duration::from_millis(20));
        service.tell(SEVEN + 1, &service.detectors()).status == 200
    });
    assert!(taken.is_some());
}

/// Clients that ask and never read fill every buffer on the way; then they are cut off.
#[test]
fn who_asks_and_never_reads_is_cut_off() {
    let (service, _data) = service("connections_max = 4\nwrite_timeout_s = 0.5\nheader_timeout_s = 60.0\n");
    let asking: Vec<_> = (0..3)
        .map(|_| {
            let mut deaf = connect(&service);
            std::thread::spawn(move || {
                let asks = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
                let started = Instant::now();
                // Until the other side has closed.
                while started.elapsed() < PATIENCE && deaf.write_all(asks.as_bytes()).is_ok() {}
                started.elapsed() < PATIENCE
            })
        })
        .collect();
    assert!(asking.into_iter().all(|deaf| deaf.join().unwrap()), "somebody was not cut off");
    let open = (0..200).find(|_| {
        std::thread::sleep(Duration::from_millis(20));
        service.get("/metrics", &[]).text().contains("greenkerb_connections 1\n")
    });
    assert!(open.is_some());
}

/// Fewer descriptors than connections are told at the start, and no connection takes the last of them.
#[test]
fn too_few_descriptors_are_told_at_the_start() {
    let command = format!(
        "ulimit -n 100; exec '{}' serve --clock external --listen 127.0.0.1:0 --network '{}'",
        env!("CARGO_BIN_EXE_greenkerb"),
        crossroads().display()
    );
    let mut service = Running::spawn(Command::new("sh").args(["-c", &command]).stderr(std::process::Stdio::piped()));
    let crowd: Vec<TcpStream> = (0..120).map(|_| connect(&service)).collect();
    drop(crowd);
    assert_eq!(service.get("/livez", &[]).status, 200);
    service.end();
    let said = std::io::read_to_string(service.child.stderr.take().unwrap()).unwrap();
    assert!(said.contains("note: this process may have 100 open files: 36 connections"), "{said}");
    assert!(!said.contains("no connection can be taken"), "{said}");
}

#[test]
fn a_flood_of_connections_waits_outside_and_passes() {
    let (service, _data) = service("connections_max = 8\nheader_timeout_s = 0.5\n");
    // Nobody of the flood ever says a word. Those inside time out, and make room for those outside.
    let flood: Vec<TcpStream> = (0..40).map(|_| connect(&service)).collect();
    assert_eq!(service.get("/livez", &[]).status, 200);
    let metrics = service.get("/metrics", &[]).text();
    let open = metrics.lines().find_map(|l| l.strip_prefix("greenkerb_connections ")).unwrap();
    assert!(open.parse::<f64>().unwrap() <= 8.0, "{open}");
    drop(flood);
}

#[test]
fn heads_without_end_are_refused() {
    let (service, _data) = service("");
    let mut endless = connect(&service);
    let _ = endless.write_all(b"GET /livez HTTP/1.1\r\n");
    for i in 0..3_000 {
        if write!(endless, "x-{i}: {}\r\n", "y".repeat(100)).is_err() {
            break;
        }
    }
    let answer = rest(&mut endless);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(service.get("/livez", &[]).status, 200);
}

/// Ends although controllers wait, a page listens and a client is in the middle of something.
#[test]
fn asked_to_end_it_ends_whoever_is_connected() {
    let (mut service, _data) = service("");
    let timing = service.timing_path();
    let etag = service.get(&timing, &[]).etag;
    let mut stream = connect(&service);
    write!(stream, "GET {} HTTP/1.1\r\nhost: x\r\n\r\n", timing.replace("/timing", "/events")).unwrap();
    let mut wait = connect(&service);
    write!(wait, "GET {timing}?wait=60s HTTP/1.1\r\nhost: x\r\nif-none-match: {etag}\r\n\r\n").unwrap();
    let mut half = connect(&service);
    half.write_all(b"POST /v1/observations HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n").unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    // The long poll has been taken when its controller counts as connected; then nothing of it is cut off.
    while service.get("/v1/controllers", &[]).json()["controllers"][0]["stale"] != false {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    let asked = Command::new("kill").args(["-TERM", &service.child.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let answer = rest(&mut wait);
    assert!(answer.starts_with("HTTP/1.1 304"), "a waiting poll is answered: {answer:?}");
    rest(&mut stream);
    assert!(service.child.wait().unwrap().success());
}

/// A controller that waits on an open connection misses no poll, however long the data's clock runs meanwhile.
#[test]
fn who_waits_is_not_stale() {
    let (service, _data) = service("[optimizer]\nvalidity = 60000\n");
    let detectors = service.detectors();
    let timing = service.timing_path();
    let etag = service.get(&timing, &[]).etag;
    let stale = || service.get("/v1/controllers", &[]).json()["controllers"][0]["stale"].as_bool().unwrap();
    assert!(!stale(), "it has just polled");
    for second in SEVEN + 1..SEVEN + 10 {
        service.tell(second, &detectors);
    }
    assert!(stale(), "it has missed three polls");
    let mut stream = connect(&service);
    write!(stream, "GET {} HTTP/1.1\r\nhost: x\r\n\r\n", timing.replace("/timing", "/events")).unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    for second in SEVEN + 10..SEVEN + 20 {
        service.tell(second, &detectors);
    }
    assert!(!stale(), "it listens");
    drop(stream);
    let started = Instant::now();
    // That it has gone is seen when something is sent to it, or at once.
    for second in SEVEN + 20.. {
        service.tell(second, &detectors);
        if stale() || started.elapsed() > PATIENCE {
            break;
        }
    }
    assert!(stale(), "it has gone");
    assert!(!service.get(&timing, &[("if-none-match", &etag)]).etag.is_empty());
}
