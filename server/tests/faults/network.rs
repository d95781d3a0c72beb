//! Networks that part, also in one direction and between two nodes only.

use crate::nodes::Nodes;
use crate::relay::{Cuts, Relays};
use crate::spaces::Spaces;
use crate::trial::{Trial, alone, rounds};

/// Which ways are cut, of a node that leads and the others.
struct Cut {
    name: &'static str,
    ways: fn(leader: u64, others: &[u64]) -> Cuts,
}

const CUTS: [Cut; 6] = [
    Cut {
        name: "leader cut off",
        ways: |leader, others| {
            others.iter().flat_map(|other| [(leader, *other), (*other, leader)]).collect()
        },
    },
    Cut {
        name: "leader cannot send",
        ways: |leader, others| others.iter().map(|other| (leader, *other)).collect(),
    },
    Cut {
        name: "leader cannot hear",
        ways: |leader, others| others.iter().map(|other| (*other, leader)).collect(),
    },
    Cut {
        name: "leader and one follower apart",
        ways: |leader, others| [(leader, others[0]), (others[0], leader)].into(),
    },
    Cut {
        name: "leader does not reach one follower",
        ways: |leader, others| [(leader, others[0])].into(),
    },
    Cut {
        name: "follower cut off",
        ways: |leader, others| {
            let all = [leader, others[1]];
            all.iter().flat_map(|other| [(others[0], *other), (*other, others[0])]).collect()
        },
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_parts_loses_nothing() {
    let _alone = alone().await;
    let (nodes, ways) = Nodes::behind_relays(3);
    let relays = Relays::start(&ways).await;
    let mut trial = Trial::begin(nodes, 3).await;
    trial.open().await;
    for _ in 0..rounds() {
        for cut in &CUTS {
            let leader = trial.nodes.leader().await;
            let others: Vec<u64> =
                trial.nodes.up.keys().copied().filter(|node| *node != leader).collect();
            trial.hurt();
            for (from, to) in (cut.ways)(leader, &others) {
                relays.cut(from, to);
            }
            trial.goes_on(cut.name).await;
            relays.mend();
            trial.nodes.all_ready().await;
        }
    }
    trial.close().await;
}

/// As above with the kernel's own network: nodes in namespaces, with certificates.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cable_that_is_pulled_loses_nothing() {
    let _alone = alone().await;
    let Some(spaces) = Spaces::make(3) else { return };
    let mut trial = Trial::begin(Nodes::in_spaces(&spaces.addresses()), 3).await;
    trial.open().await;
    for _ in 0..rounds() {
        let leader = trial.nodes.leader().await;
        trial.hurt();
        spaces.cable(leader, false);
        trial.goes_on("leader's cable pulled").await;
        spaces.cable(leader, true);
        trial.nodes.all_ready().await;

        let leader = trial.nodes.leader().await;
        let others: Vec<u64> = (1..=3).filter(|node| *node != leader).collect();
        trial.hurt();
        for other in &others {
            spaces.way(leader, *other, false);
        }
        trial.goes_on("leader's packets to the others lost").await;
        for other in &others {
            spaces.way(leader, *other, true);
        }
        trial.nodes.all_ready().await;
    }
    trial.close().await;
    // The nodes end before the network they are in.
    trial.nodes.up.clear();
}
