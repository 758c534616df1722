//! The split program of a whole network: 64 intersections over 3 cycles, quiet, busy and jammed.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use greenkerb_models::detection::DetectorKind;
use greenkerb_models::network::Network;
use greenkerb_models::units::Ds;
use greenkerb_optimizer::signals::{LaneDemand, Unlimited, network_splits};
use greenkerb_simulations::scenarios::grid;

/// Uneven demand on every approach lane, up to `peak_vph` and `queue_veh` vehicles: Weyl's sequence, so that no two
/// junctions are alike and every run is.
fn demand(network: &Network, peak_vph: f64, queue_veh: f64) -> Vec<LaneDemand> {
    let stops = network.detectors().iter().filter(|d| d.kind == DetectorKind::StopBar);
    let uneven = (0..).map(|i| (f64::from(i) * 0.618_033_988_75).fract());
    stops
        .zip(uneven)
        .map(|(d, share)| LaneDemand {
            lane: d.lane,
            flow_vph: (0.2 + 0.8 * share) * peak_vph,
            queue_veh: share * queue_veh,
        })
        .collect()
}

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("network_splits");
    group.sample_size(20);
    for side in [4, 8] {
        let network = grid(side, side, 300.0).expect("a grid");
        for (name, peak_vph, queue_veh) in [("quiet", 100.0, 0.0), ("busy", 300.0, 8.0), ("jammed", 600.0, 40.0)] {
            let lanes = demand(&network, peak_vph, queue_veh);
            let id = BenchmarkId::new(format!("{} intersections x 3 cycles", side * side), name);
            group.bench_function(id, |b| {
                b.iter(|| {
                    network_splits(black_box(&network), &lanes, Ds::from_s(90), 3, &Unlimited).expect("a solution")
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
