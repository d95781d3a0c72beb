//! Three nodes in this process, over loopback, on logs of their own.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};

use super::*;
use crate::options::Cluster;

struct Trio {
    dirs: Vec<TempDir>,
    addresses: BTreeMap<u64, String>,
    nodes: BTreeMap<u64, Node>,
}

/// Addresses that were free a moment ago; all are taken before the first is given back.
fn free_addresses() -> BTreeMap<u64, String> {
    let bound = [1, 2, 3].map(|id| (id, TcpListener::bind("127.0.0.1:0").expect("a port")));
    bound.iter().map(|(id, port)| (*id, port.local_addr().expect("bound").to_string())).collect()
}

impl Trio {
    async fn begin() -> Self {
        let dirs = (0..3).map(|_| directory()).collect();
        let mut trio = Self { dirs, addresses: free_addresses(), nodes: BTreeMap::new() };
        let opened = futures_util::future::join_all([1, 2, 3].map(|id| trio.open(id))).await;
        trio.nodes = (1..).zip(opened).collect();
        for command in small_hotel() {
            trio.write(1, command).await;
        }
        trio
    }

    async fn open(&self, id: u64) -> Node {
        let listen: SocketAddr = self.addresses[&id].parse().expect("an address");
        let cluster = Cluster { id: 7, listen, tls: None, voters: self.addresses.clone() };
        let dir = self.dirs[usize::try_from(id).expect("small") - 1].path();
        let options = Options { node: id, cluster: Some(cluster), ..Options::alone(dir) };
        Node::open(Options { threads: None, ..options }).await.expect("opened")
    }

    /// The node that leads, once one of those that run knows it does.
    async fn leader(&self) -> u64 {
        let leads = self.nodes.iter().map(|(&id, node)| {
            let mut lead = node.0.lead.clone();
            Box::pin(async move {
                let leads = |lead: &Lead| matches!(lead, Lead::Leading(_));
                lead.wait_for(leads).await.expect("runs");
                id
            })
        });
        futures_util::future::select_all(leads).await.0
    }

    /// Submits through `node` until the outcome is known: while a lead changes that takes several tries.
    async fn write(&self, node: u64, command: Command) -> u64 {
        loop {
            match self.nodes[&node].submit(command.clone(), None).await {
                Ok(applied) => {
                    assert!(applied.outcome.refusal().is_none(), "{applied:?}");
                    return applied.index;
                }
                Err(SubmitError::NotLeader { .. } | SubmitError::Unknown { .. }) => {
                    let mut lead = self.nodes[&node].0.lead.clone();
                    let knows = |lead: &Lead| !matches!(lead, Lead::Following(None));
                    lead.wait_for(knows).await.expect("runs");
                    tokio::task::yield_now().await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn applied_everywhere(&self, index: u64) {
        for node in self.nodes.values() {
            assert!(node.wait_applied(index, Duration::from_secs(60)).await, "{:?}", node.status());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_node_takes_a_command_and_all_apply_it() {
    let trio = Trio::begin().await;
    let mut last = 0;
    for (number, id) in (10..).zip([1, 2, 3, 1, 2, 3]) {
        last = trio.write(id, add_partner(number)).await;
        // Whoever writes through a node reads its own write there.
        assert!(knows_partner(trio.nodes[&id].reader(), number));
    }
    trio.applied_everywhere(last).await;
    for node in trio.nodes.values() {
        assert!(node.read_index().await.expect("a quorum") >= last);
        assert!((10..16).all(|number| knows_partner(node.reader(), number)));
    }
    let leader = trio.leader().await;
    let follower = trio.nodes.keys().find(|id| **id != leader).expect("two of them");
    let refused = trio.nodes[follower].confirm_leadership().await;
    assert!(matches!(refused, Err(LeadershipError::NotLeader { .. })));
    let many = trio.nodes[follower].submit_many((50..90).map(add_partner).collect()).await;
    let many = many.expect("queued").await.expect("applied");
    assert_eq!(many.outcomes.len(), 40);
    for node in trio.nodes.values() {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_others_go_on_without_the_leader_and_it_catches_up_when_it_is_back() {
    let mut trio = Trio::begin().await;
    let first = trio.leader().await;
    trio.write(first, add_partner(10)).await;
    let gone = trio.nodes.remove(&first).expect("it led");
    gone.shutdown().await;
    drop(gone);
    let left: Vec<u64> = trio.nodes.keys().copied().collect();
    for (number, id) in (11..21).zip(left.iter().cycle()) {
        trio.write(*id, add_partner(number)).await;
    }
    assert_ne!(trio.leader().await, first);
    let back = trio.open(first).await;
    trio.nodes.insert(first, back);
    let last = trio.write(first, add_partner(21)).await;
    trio.applied_everywhere(last).await;
    assert!((10..22).all(|number| knows_partner(trio.nodes[&first].reader(), number)));
    for node in trio.nodes.values() {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_is_handed_over_when_asked() {
    let trio = Trio::begin().await;
    let first = trio.leader().await;
    trio.write(first, add_partner(10)).await;
    let to = *trio.nodes.keys().find(|id| **id != first).expect("two of them");
    trio.nodes[&first].transfer_leader(to).await.expect("asked");
    let mut lead = trio.nodes[&to].0.lead.clone();
    lead.wait_for(|lead| matches!(lead, Lead::Leading(_))).await.expect("leads");
    let last = trio.write(first, add_partner(11)).await;
    trio.applied_everywhere(last).await;
    for node in trio.nodes.values() {
        node.shutdown().await;
    }
}
