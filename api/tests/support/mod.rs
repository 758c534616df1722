//! What the tests of the service share: the real program on a loopback port, a client, and what loops see.

#[allow(dead_code, reason = "used by the tests of the demo alone")]
pub(crate) mod demo;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// Seven in the morning: the first second of every recording here.
pub(crate) const SEVEN: u32 = 25_200;

/// A crossroads with one controller.
pub(crate) fn crossroads() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/crossroads.net.xml")
}

/// A running service; killed without warning when it goes out of scope.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) url: String,
    agent: ureq::Agent,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) etag: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn of(mut r: ureq::http::Response<ureq::Body>) -> Result<Self, ureq::Error> {
        let header = |name: &str| r.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let (kind, etag) = (header("content-type"), header("etag"));
        Ok(Self { status: r.status().as_u16(), kind, etag, body: r.body_mut().read_to_vec()? })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A client that keeps its connection.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

/// Asks; an error is one of the connection.
pub(crate) fn try_get(agent: &ureq::Agent, url: &str, headers: &[(&str, &str)]) -> Result<Reply, ureq::Error> {
    let request = headers.iter().fold(agent.get(url), |r, (k, v)| r.header(*k, *v));
    Reply::of(request.call()?)
}

/// Tells; an error is one of the connection.
pub(crate) fn try_post(agent: &ureq::Agent, url: &str, kind: &str, body: &[u8]) -> Result<Reply, ureq::Error> {
    Reply::of(agent.post(url).header("content-type", kind).send(body)?)
}

impl Running {
    /// Starts the service on an external clock.
    pub(crate) fn start(network: &Path, data: Option<&Path>, settings: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenkerb"));
        command.args(["serve", "--clock", "external", "--listen", "127.0.0.1:0", "--network"]).arg(network);
        if let Some(data) = data {
            command.arg("--data").arg(data);
            if !settings.is_empty() {
                let file = data.join("settings.toml");
                std::fs::write(&file, settings).unwrap();
                command.arg("--settings").arg(file);
            }
        }
        Self::spawn(command.stderr(Stdio::null()))
    }

    /// Starts what says that it listens.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("said {line:?}")).to_owned();
        Self { child, url, agent: agent() }
    }

    /// Asks it to end, as an operating system does, and waits.
    pub(crate) fn end(&mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        try_get(&self.agent, &format!("{}{path}", self.url), headers).unwrap()
    }

    pub(crate) fn post(&self, path: &str, kind: &str, body: &[u8]) -> Reply {
        try_post(&self.agent, &format!("{}{path}", self.url), kind, body).unwrap()
    }

    /// The same with an idempotency key.
    pub(crate) fn post_once(&self, path: &str, key: &str, body: &[u8]) -> Reply {
        let request = self.agent.post(format!("{}{path}", self.url)).header("content-type", "application/json");
        Reply::of(request.header("idempotency-key", key).send(body).unwrap()).unwrap()
    }

    pub(crate) fn detectors(&self) -> Vec<String> {
        names(&self.get("/v1/detectors", &[]).json()["detectors"])
    }

    pub(crate) fn controllers(&self) -> Vec<String> {
        names(&self.get("/v1/controllers", &[]).json()["controllers"])
    }

    /// Path of the only controller's timing.
    pub(crate) fn timing_path(&self) -> String {
        format!("/v1/controllers/{}/timing", self.controllers()[0])
    }

    /// Tells one second of traffic.
    pub(crate) fn tell(&self, second: u32, detectors: &[String]) -> Reply {
        self.post("/v1/observations", "application/json", &traffic(second, detectors))
    }
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap().to_owned()).collect()
}

/// A second of the day as an instant.
pub(crate) fn instant(second: u32) -> String {
    format!("1970-01-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// What the loops see in one second: a steady stream, heavier from the north.
pub(crate) fn traffic(second: u32, detectors: &[String]) -> Vec<u8> {
    let observations: Vec<Value> = detectors
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let every = if name.contains("north") { 4 } else { 11 };
            let count = u32::from((second as usize + i).is_multiple_of(every));
            let occupancy = if count > 0 { 0.5 } else { 0.0 };
            json!({ "detector": name, "begin": instant(second), "length_s": 1.0, "count": count, "occupancy": occupancy })
        })
        .collect();
    json!({ "observations": observations }).to_string().into_bytes()
}
