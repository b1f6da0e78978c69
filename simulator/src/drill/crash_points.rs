//! The process taken away at every named point on the path of an order.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use acceptance_tests::crowd::Burst;
use acceptance_tests::server::Store;
use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::findings::{Findings, NotHere};
use super::ground::Ground;
use super::scene::Scene;

/// Names the point and its pass to the server.
const CRASH_AT: &str = "MILLRACE_CRASH_AT";
const SHOPPERS: u64 = 16;
/// Answers and time after which a point counts as not reached at work; then the server is asked to
/// leave. An order that a kill has interrupted is taken up after two seconds.
const ANSWERS_MAX: u64 = 400;
const WORK_FOR: Duration = Duration::from_secs(3);
/// The passes at which a point ends the process, in turn: the first ones, and some deep in a burst.
const PASSES: [u64; 8] = [1, 2, 3, 7, 19, 41, 83, 130];
/// How often a point that was not reached is tried again.
const TRIES: u32 = 3;
const BACK_WITHIN: Duration = Duration::from_mins(1);
const SIGKILL: i32 = 9;
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Points that a store does not pass, and why.
const NOT_ON: [(Store, &str); 1] = [(Store::Postgres, "journal.inserted")];

/// Takes the process away at every point.
pub(super) async fn run(ground: &Ground, findings: &mut Findings) -> Result<()> {
    let points = names(ground).await?;
    findings.note("crash points", points.len());
    let cycles = ground.count(1, 20);
    let mut kills = 0;
    for store in ground.stores() {
        findings.part(store.name());
        let mut tally = Tally::default();
        let of_store: Vec<&str> = points
            .iter()
            .map(String::as_str)
            .filter(|point| !NOT_ON.contains(&(store, *point)))
            .collect();
        // One shop for each point, so that a broken promise has a name; the short version shares.
        let shares = if ground.is_short() { of_store.len() } else { 1 };
        for shared in of_store.chunks(shares) {
            let (launch, _cluster) = ground.on(store).await?;
            let mut scene = Scene::open(ground, launch).await?;
            leave_work_behind(&mut scene).await?;
            for point in shared {
                tally.drill(ground, &mut scene, point, cycles).await?;
            }
            scene.server.set(CRASH_AT, None);
            if !scene.server.is_running() {
                scene.server.start().await?;
            }
            let mut reckoning = Findings::default();
            let reckoned = scene.reckon(ground, &mut reckoning).await;
            tally.reckoned(shared, reckoning);
            if reckoned.is_err() {
                tally.tell(&of_store, cycles, findings);
                return reckoned;
            }
        }
        kills += tally.kills;
        tally.tell(&of_store, cycles, findings);
    }
    findings.part("");
    findings.note("kills", kills);
    Ok(())
}

/// The points, as the binary names them.
async fn names(ground: &Ground) -> Result<Vec<String>> {
    let told = Command::new(ground.millrace()).arg("crash-points").output().await?;
    if !told.status.success() {
        let why = "the binary has no crash points: build it with `--features drill`";
        return Err(NotHere(why.to_owned()).into());
    }
    let names: Vec<String> = String::from_utf8(told.stdout)?.lines().map(str::to_owned).collect();
    ensure!(!names.is_empty(), "the binary names no crash point");
    Ok(names)
}

/// What came of all points on one store.
#[derive(Default)]
struct Tally {
    kills: u64,
    by_point: BTreeMap<String, u64>,
    missed: Vec<String>,
    back: Vec<Duration>,
    reckonings: Findings,
}

impl Tally {
    /// Lets one point end the process again and again. Each start is the recovery from the end
    /// before, and is armed for the next.
    async fn drill(
        &mut self,
        ground: &Ground,
        scene: &mut Scene,
        point: &str,
        cycles: u64,
    ) -> Result<()> {
        let mut deepest = PASSES.len();
        for cycle in 0..cycles {
            ground.say(&format!("{point}, {} of {cycles}", cycle + 1));
            let turn = usize::try_from(cycle)? % deepest;
            let mut pass = PASSES.get(turn).copied().unwrap_or(1);
            for _ in 0..TRIES {
                let ended = cycle_at(scene, point, pass, &mut self.back).await?;
                if was_killed(ended) {
                    self.kills += 1;
                    *self.by_point.entry(point.to_owned()).or_default() += 1;
                    break;
                }
                ensure!(ended.success(), "{point}: it was not reached, and the server {ended}");
                if 1 < pass {
                    // This point is passed less often than that.
                    deepest = turn.max(1);
                    pass = 1;
                }
                // Timers are due for those only who were interrupted.
                scene.server.set(CRASH_AT, None);
                scene.server.start().await?;
                leave_work_behind(scene).await?;
            }
        }
        Ok(())
    }

    fn reckoned(&mut self, points: &[&str], reckoning: Findings) {
        if let [point] = points {
            self.missed.extend(reckoning.unmet().map(|figure| format!("{point}: {figure}")));
        } else {
            self.missed.extend(reckoning.unmet().map(str::to_owned));
        }
        self.reckonings.add(reckoning);
    }

    fn tell(self, points: &[&str], cycles: u64, findings: &mut Findings) {
        for point in points {
            let kills = self.by_point.get(*point).copied().unwrap_or_default();
            findings.demand(
                &format!("kills at {point}"),
                kills,
                &cycles.to_string(),
                kills == cycles,
            );
        }
        findings.take(self.reckonings);
        for missed in self.missed {
            findings.demand("broken promise", missed, "none", false);
        }
        findings.note("kills", self.kills);
        findings.starts(&self.back);
    }
}

fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(SIGKILL)
}

/// Ends the server in the middle of a burst, so that the next start has orders to take up.
async fn leave_work_behind(scene: &mut Scene) -> Result<()> {
    let mut burst = scene.burst(SHOPPERS);
    burst.answered(20).await?;
    scene.server.kill().await?;
    scene.tries.extend(burst.stop().await?);
    Ok(())
}

/// Starts the server armed, gives it work until the point is passed, and asks it to leave when it
/// is not: some points lie on the way out.
async fn cycle_at(
    scene: &mut Scene,
    point: &str,
    pass: u64,
    back: &mut Vec<Duration>,
) -> Result<ExitStatus> {
    scene.server.set(CRASH_AT, Some(&format!("{point}:{pass}")));
    let began = Instant::now();
    scene.server.start_without_waiting()?;
    loop {
        if scene.server.ended().is_some() {
            return scene.server.end().await;
        }
        if scene.shop.get("/health/ready").await.is_ok_and(|answer| answer.status == 200) {
            break;
        }
        ensure!(began.elapsed() < BACK_WITHIN, "not ready: {}", scene.server.log_tail());
        sleep(LOOK_AGAIN).await;
    }
    let mut burst = scene.burst(SHOPPERS);
    if burst.answered(1).await.is_ok() {
        back.push(began.elapsed());
    }
    until_ended(scene, &burst).await?;
    scene.tries.extend(burst.stop().await?);
    if scene.server.ended().is_none() {
        scene.server.signal("TERM").await?;
    }
    scene.server.end().await.with_context(|| format!("{point}:{pass}"))
}

/// Waits for the end of the server, or for so many answers that it will not come.
async fn until_ended(scene: &mut Scene, burst: &Burst) -> Result<()> {
    let began = Instant::now();
    let is_worked_off = |answers| ANSWERS_MAX <= answers && WORK_FOR < began.elapsed();
    while scene.server.ended().is_none() && !is_worked_off(burst.so_far()) {
        ensure!(began.elapsed() < BACK_WITHIN, "neither answers nor an end");
        sleep(LOOK_AGAIN).await;
    }
    Ok(())
}
