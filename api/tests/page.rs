//! The status page, in a real browser, on the demo.

#[allow(dead_code, reason = "shared with other tests, which use all of it")]
mod support;

use std::process::{Command, Stdio};

use support::demo::Demo;

/// What the browser made of a page, after its scripts have run for some seconds.
fn opened(url: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--virtual-time-budget=8000"])
        .args(["--enable-logging=stderr", "--window-size=1280,800", "--dump-dom", url])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| {
            panic!("this test opens the page in chromium ({e}): apt-get install chromium, or make tools")
        });
    let said = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = said.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What stands between two marks, everywhere.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    text.split(from).skip(1).filter_map(|rest| rest.split(to).next()).collect()
}

/// Text of the element with an id.
fn text_of<'a>(page: &'a str, id: &str) -> &'a str {
    let element = between(page, &format!("id=\"{id}\""), "</").first().copied().unwrap_or_default();
    element.split_once('>').map_or("", |(_, text)| text)
}

#[test]
fn it_shows_every_controller_its_plans_and_fresh_data() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path(), &["--pace", "20"]);
    let static_page = demo.get("/").text();
    assert!(!static_page.contains("<td"), "what is asserted below comes from the script");
    let controllers = demo.wait_for("/v1/controllers", |c| {
        let list = c["controllers"].as_array()?;
        list.iter().all(|c| c["running_revision"].as_u64().is_some_and(|r| r > 1)).then(|| list.clone())
    });
    let names: Vec<&str> = controllers.iter().map(|c| c["name"].as_str().unwrap()).collect();

    let page = opened(&format!("{}/#{}", demo.url, names[0]));

    let rows = between(text_between(&page, "<tbody>", "</tbody>"), "<tr", "</tr>");
    assert_eq!(rows.len(), 30);
    for (row, name) in rows.iter().zip(&names) {
        let cells = between(row, "<td", "</td>").into_iter().map(|c| c.split_once('>').unwrap().1).collect::<Vec<_>>();
        let [shown, shows, asked, runs, cycle, load] = cells[..] else { panic!("{row}") };
        assert_eq!(shown, *name);
        assert!(shows.ends_with(" s"), "{row}");
        assert!(asked.parse::<u64>().is_ok_and(|r| r > 1) && runs.parse::<u64>().is_ok_and(|r| r > 1), "{row}");
        assert!(cycle.ends_with(" s") && load.parse::<f64>().is_ok(), "{row}");
    }

    let links = demo.get("/v1/network").json()["features"].as_array().unwrap().clone();
    let links = links.iter().filter(|f| f["properties"]["kind"] == "link").count();
    assert_eq!(page.matches("<polyline").count(), links, "the network is drawn whole");
    assert_eq!(page.matches("role=\"button\"").count(), 30, "each controller can be reached on the map");

    assert_eq!(text_of(&page, "ready"), "ready");
    let age = text_of(&page, "feed");
    let age_s: f64 = age.strip_prefix("data ").and_then(|a| a.strip_suffix(" s old")).unwrap().parse().unwrap();
    assert!(age_s <= 60.0, "{age}");
    assert!(text_of(&page, "clock").starts_with("2026-03-02 07:"), "{}", text_of(&page, "clock"));
    let trusted: Vec<u32> = text_of(&page, "trusted").split(' ').filter_map(|w| w.parse().ok()).collect();
    assert!(trusted.len() == 2 && trusted[1] > 0, "{trusted:?}");

    assert_eq!(text_of(&page, "name"), names[0]);
    let bars = between(&page, "<h3>", "</h3>");
    for plan in ["requested, revision ", "running, revision ", "time-of-day plan"] {
        assert!(bars.iter().any(|b| b.starts_with(plan) && b.contains("cycle ")), "{plan}: {bars:?}");
    }
    assert!(page.contains("title=\"stage 0: "), "the bars show stages");
}

fn text_between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    between(page, from, to).first().copied().unwrap_or_default()
}
