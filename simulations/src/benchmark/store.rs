//! The folder of a benchmark: what was finished stays there, so that a benchmark that was called off goes on where it
//! ended.
//!
//! While runs are made, lines are added to `runs.jsonl` and `timings.jsonl` in the order in which runs end. At the end
//! `runs.jsonl` is written anew in the order of controllers and seeds, so that it is the same whatever the number of jobs.
//! A line cut off by a crash is dropped. Lines of other scenarios, options or programs are moved to `runs.stale.jsonl`.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::BenchmarkError;
use super::record::{RunRecord, Timing};
use super::setup::Job;
use super::trace::Trace;

const RUNS: &str = "runs.jsonl";
const STALE: &str = "runs.stale.jsonl";
const TIMINGS: &str = "timings.jsonl";
const PROGRAM: &str = "program.sha256";
const TRACES: &str = "traces";

/// The folder of a benchmark.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    jobs: Vec<Job>,
    runs: BTreeMap<usize, RunRecord>,
    timings: BTreeMap<usize, Timing>,
    traces: BTreeMap<String, Trace>,
    stale: usize,
}

impl Store {
    /// Opens or makes a folder, and keeps what it has of these jobs. `program` is a fingerprint of the running program: what
    /// another one has left is stale.
    ///
    /// # Errors
    /// [`BenchmarkError::File`].
    pub fn open(folder: &Path, jobs: Vec<Job>, program: &str) -> Result<Self, BenchmarkError> {
        fs::create_dir_all(folder.join(TRACES)).map_err(|source| file(folder, source))?;
        let mut store = Self {
            folder: folder.to_owned(),
            jobs,
            runs: BTreeMap::new(),
            timings: BTreeMap::new(),
            traces: BTreeMap::new(),
            stale: 0,
        };
        let same_program = fs::read_to_string(store.path(PROGRAM)).is_ok_and(|before| before.trim() == program);
        let mut stale = Vec::new();
        for run in read_lines::<RunRecord>(&store.path(RUNS))? {
            match store.jobs.iter().position(|j| run.is_of(j)) {
                Some(i) if same_program && store.keep_trace(i) => {
                    store.runs.insert(i, run);
                }
                _ => stale.push(run),
            }
        }
        for timing in read_lines::<Timing>(&store.path(TIMINGS))? {
            if let Some(i) = store.jobs.iter().position(|j| j.key == timing.key)
                && store.runs.contains_key(&i)
            {
                store.timings.insert(i, timing);
            }
        }
        store.stale = stale.len();
        for run in &stale {
            append(&store.path(STALE), run)?;
        }
        store.rewrite()?;
        store.write(PROGRAM, &format!("{program}\n"))?;
        Ok(store)
    }

    /// A run of the first seed is only worth keeping with its trace.
    fn keep_trace(&mut self, job: usize) -> bool {
        if !self.is_traced(job) {
            return true;
        }
        let Job { controller, key, .. } = self.jobs[job].clone();
        let text = fs::read_to_string(self.path(&trace_name(&controller))).ok();
        match text.and_then(|t| serde_json::from_str::<Trace>(&t).ok()) {
            Some(trace) if trace.key == key => {
                self.traces.insert(controller, trace);
                true
            }
            _ => false,
        }
    }

    /// True for the run of each controller whose trajectories are kept: that of the first seed.
    #[must_use]
    pub fn is_traced(&self, job: usize) -> bool {
        self.jobs.first().is_some_and(|first| first.seed == self.jobs[job].seed)
    }

    /// Runs that are still to be made, by their place among the jobs.
    #[must_use]
    pub fn open_jobs(&self) -> Vec<usize> {
        (0..self.jobs.len()).filter(|i| !self.runs.contains_key(i)).collect()
    }

    /// All jobs.
    #[must_use]
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// Runs found in the folder that were of something else.
    #[must_use]
    pub const fn stale(&self) -> usize {
        self.stale
    }

    /// Keeps a finished run.
    ///
    /// # Errors
    /// [`BenchmarkError::File`].
    pub fn add(
        &mut self,
        job: usize,
        run: RunRecord,
        timing: Timing,
        trace: Option<Trace>,
    ) -> Result<(), BenchmarkError> {
        if let Some(trace) = trace {
            let text = serde_json::to_string(&trace).map_err(BenchmarkError::Encode)?;
            self.write(&trace_name(&trace.controller), &(text + "\n"))?;
            self.traces.insert(trace.controller.clone(), trace);
        }
        append(&self.path(RUNS), &run)?;
        append(&self.path(TIMINGS), &timing)?;
        self.runs.insert(job, run);
        self.timings.insert(job, timing);
        Ok(())
    }

    /// Writes all lines anew, in the order of the jobs.
    ///
    /// # Errors
    /// [`BenchmarkError::File`].
    pub fn rewrite(&self) -> Result<(), BenchmarkError> {
        self.write(RUNS, &lines(self.runs.values())?)?;
        self.write(TIMINGS, &lines(self.timings.values())?)
    }

    /// Writes a file of the folder at once: it is never seen half written.
    ///
    /// # Errors
    /// [`BenchmarkError::File`].
    pub fn write(&self, name: &str, text: &str) -> Result<(), BenchmarkError> {
        let path = self.path(name);
        let half = self.path(&format!("{name}.part"));
        let written = fs::write(&half, text).and_then(|()| fs::rename(&half, &path));
        written.map_err(|source| file(&path, source))
    }

    /// Finished runs, by controller and seed.
    pub fn runs(&self) -> impl Iterator<Item = &RunRecord> {
        self.runs.values()
    }

    /// How long they took.
    pub fn timings(&self) -> impl Iterator<Item = &Timing> {
        self.timings.values()
    }

    /// The trace of a controller's first seed.
    #[must_use]
    pub fn trace(&self, controller: &str) -> Option<&Trace> {
        self.traces.get(controller)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Reads a file of runs, e.g. a baseline.
///
/// # Errors
/// [`BenchmarkError::File`], or [`BenchmarkError::Content`] when a line is no run.
pub fn read_runs(path: &Path) -> Result<Vec<RunRecord>, BenchmarkError> {
    let opened = File::open(path).map_err(|source| file(path, source))?;
    let mut runs = Vec::new();
    for (i, line) in BufReader::new(opened).lines().enumerate() {
        let line = line.map_err(|source| file(path, source))?;
        if line.trim().is_empty() {
            continue;
        }
        let run = serde_json::from_str(&line).map_err(|e| BenchmarkError::Content {
            path: path.to_owned(),
            line: i + 1,
            reason: format!("is no run: {e}"),
        })?;
        runs.push(run);
    }
    Ok(runs)
}

/// Traces are named after controllers, whose names may hold anything.
fn trace_name(controller: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    format!("{TRACES}/{}.json", controller.chars().map(plain).collect::<String>())
}

/// Every whole line that can be understood; none when there is no file.
fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, BenchmarkError> {
    let opened = match File::open(path) {
        Ok(opened) => opened,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(file(path, source)),
    };
    let mut found = Vec::new();
    for line in BufReader::new(opened).lines() {
        let line = line.map_err(|source| file(path, source))?;
        found.extend(serde_json::from_str(&line));
    }
    Ok(found)
}

pub(super) fn lines<'a, T: Serialize + 'a>(values: impl Iterator<Item = &'a T>) -> Result<String, BenchmarkError> {
    let mut text = String::new();
    for value in values {
        text.push_str(&serde_json::to_string(value).map_err(BenchmarkError::Encode)?);
        text.push('\n');
    }
    Ok(text)
}

fn append<T: Serialize>(path: &Path, value: &T) -> Result<(), BenchmarkError> {
    let line = serde_json::to_string(value).map_err(BenchmarkError::Encode)? + "\n";
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.and_then(|mut f| f.write_all(line.as_bytes())).map_err(|source| file(path, source))
}

fn file(path: &Path, source: std::io::Error) -> BenchmarkError {
    BenchmarkError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{record, setup, trace};
    use super::*;

    fn add(store: &mut Store, job: usize) {
        let j = store.jobs()[job].clone();
        let trace = store.is_traced(job).then(|| trace(&j));
        store.add(job, record(&j, 10.0 + job as f64), Timing::new(&j, 1.0, &[]), trace).unwrap();
    }

    #[test]
    fn finished_runs_are_found_again_and_put_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let jobs = setup(&["a", "b"], &[1, 2]).jobs().unwrap();
        let mut store = Store::open(folder.path(), jobs.clone(), "p").unwrap();
        assert_eq!(store.open_jobs(), [0, 1, 2, 3]);
        for job in [3, 0] {
            add(&mut store, job);
        }
        let mut again = Store::open(folder.path(), jobs.clone(), "p").unwrap();
        assert_eq!((again.open_jobs(), again.stale()), (vec![1, 2], 0));
        assert!(again.trace("a").is_some());
        for job in [2, 1] {
            add(&mut again, job);
        }
        again.rewrite().unwrap();
        let seeds: Vec<(String, u64)> =
            read_runs(&folder.path().join(RUNS)).unwrap().into_iter().map(|r| (r.controller, r.seed)).collect();
        assert_eq!(seeds, [("a".into(), 1), ("a".into(), 2), ("b".into(), 1), ("b".into(), 2)]);
    }

    #[test]
    fn another_program_another_scenario_and_torn_lines_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let base = setup(&["a"], &[1, 2]);
        let mut store = Store::open(folder.path(), base.jobs().unwrap(), "p").unwrap();
        add(&mut store, 0);
        add(&mut store, 1);
        // A crash cuts the last line in two.
        let runs = folder.path().join(RUNS);
        let text = fs::read_to_string(&runs).unwrap();
        fs::write(&runs, &text[..text.len() - 20]).unwrap();
        let store = Store::open(folder.path(), base.jobs().unwrap(), "p").unwrap();
        assert_eq!((store.open_jobs(), store.stale()), (vec![1], 0));
        // Another scenario leaves the runs of the first aside.
        let mut other = base.clone();
        other.scenario.name = "other".into();
        let store = Store::open(folder.path(), other.jobs().unwrap(), "p").unwrap();
        assert_eq!((store.open_jobs(), store.stale()), (vec![0, 1], 1));
        assert_eq!(read_runs(&folder.path().join(STALE)).unwrap().len(), 1);
        // Another program does not believe anything.
        let mut store = Store::open(folder.path(), base.jobs().unwrap(), "p").unwrap();
        add(&mut store, 1);
        let store = Store::open(folder.path(), base.jobs().unwrap(), "q").unwrap();
        assert_eq!((store.open_jobs(), store.stale()), (vec![0, 1], 1));
    }

    #[test]
    fn a_run_without_its_trace_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let jobs = setup(&["a b"], &[1]).jobs().unwrap();
        let mut store = Store::open(folder.path(), jobs.clone(), "p").unwrap();
        add(&mut store, 0);
        assert!(Store::open(folder.path(), jobs.clone(), "p").unwrap().open_jobs().is_empty());
        fs::remove_file(folder.path().join("traces/a_b.json")).unwrap();
        assert_eq!(Store::open(folder.path(), jobs, "p").unwrap().open_jobs(), [0]);
    }
}
