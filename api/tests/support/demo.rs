//! The demo as a child process.

use std::io::{BufRead as _, BufReader, Lines};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use super::{Reply, agent, try_get};

/// A running demo; killed without warning when it goes out of scope.
pub(crate) struct Demo {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    agent: ureq::Agent,
    pub(crate) url: String,
    /// The commands it offers.
    pub(crate) curls: Vec<String>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenkerb"));
    command.arg("demo").args(arguments);
    command
}

impl Demo {
    /// Starts a demo on a free port and reads its greeting.
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut command = command(arguments);
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(data);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let greeting: Vec<String> =
            out.by_ref().map(Result::unwrap).take_while(|line| !line.starts_with("Ctrl-C")).collect();
        let greeting = greeting.iter().map(|line| line.trim());
        let url = greeting.clone().find(|line| line.starts_with("http://")).expect("it says what to open");
        let curls = greeting.filter(|line| line.starts_with("curl ")).map(str::to_owned).collect();
        Self { child, out, agent: agent(), url: url.trim_end_matches('/').to_owned(), curls }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        try_get(&self.agent, &format!("{}{path}", self.url), &[]).unwrap()
    }

    /// Asks until the answer is what is wanted.
    pub(crate) fn wait_for<T>(&self, path: &str, wanted: impl Fn(&serde_json::Value) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(&self.get(path).json()) {
                return found;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// Asks it to end, as an operating system does.
    pub(crate) fn terminate(&self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
    }

    /// What it still said, and how it ended.
    pub(crate) fn end(mut self) -> (Vec<String>, ExitStatus) {
        let said = self.out.by_ref().map(Result::unwrap).collect();
        (said, self.child.wait().unwrap())
    }
}

/// What it says when its address is taken.
pub(crate) fn on_a_taken_port() -> String {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = command(&["--listen", &address]).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}
