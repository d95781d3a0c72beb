//! Several nodes in this process, over loopback, on logs of their own.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};

use super::*;
use crate::node::members::{Change, ChangeError, MemberRole};
use crate::options::Cluster;

pub(super) struct Group {
    pub dirs: BTreeMap<u64, TempDir>,
    pub addresses: BTreeMap<u64, String>,
    voters: BTreeMap<u64, String>,
    pub nodes: BTreeMap<u64, Node>,
    /// What its nodes are opened with besides.
    with: fn(Options) -> Options,
}

/// Addresses that were free a moment ago; all are taken before the first is given back.
fn free_addresses() -> BTreeMap<u64, String> {
    let bound = [1, 2, 3, 4].map(|id| (id, TcpListener::bind("127.0.0.1:0").expect("a port")));
    bound.iter().map(|(id, port)| (*id, port.local_addr().expect("bound").to_string())).collect()
}

impl Group {
    async fn begin() -> Self {
        Self::begin_with(|options| options).await
    }

    pub async fn begin_with(with: fn(Options) -> Options) -> Self {
        let dirs = (1..=4).map(|id| (id, directory())).collect();
        let (addresses, nodes) = (free_addresses(), BTreeMap::new());
        let voters = addresses.range(..=3).map(|(id, at)| (*id, at.clone())).collect();
        let mut group = Self { dirs, addresses, voters, nodes, with };
        for id in 1..=3 {
            group.start(id).await;
        }
        for command in small_hotel() {
            group.write(1, command).await;
        }
        group
    }

    pub async fn start(&mut self, id: u64) {
        let node = Node::open(self.options(id)).await.expect("opened");
        self.nodes.insert(id, node);
    }

    fn options(&self, id: u64) -> Options {
        let listen: SocketAddr = self.addresses[&id].parse().expect("an address");
        // One directory, one disk.
        let disk = u128::from(id) << 64;
        let cluster = Cluster { id: 7, disk, listen, tls: None, voters: self.voters.clone() };
        let dir = self.dirs[&id].path();
        let options = Options { node: id, cluster: Some(cluster), ..Options::alone(dir) };
        (self.with)(Options { threads: None, disk_reserve: 0, ..options })
    }

    /// The node that leads, once one of those that run knows it does.
    pub async fn leader(&self) -> u64 {
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

    pub async fn follower(&self) -> u64 {
        let leader = self.leader().await;
        *self.nodes.keys().find(|id| **id != leader).expect("more than one")
    }

    /// Submits through `node` until the outcome is known: while a lead changes that may take several tries.
    pub async fn write(&self, node: u64, command: Command) -> u64 {
        loop {
            match self.nodes[&node].submit(command.clone(), None).await {
                Ok(applied) => {
                    assert!(applied.outcome.refusal().is_none(), "{applied:?}");
                    return applied.index;
                }
                Err(SubmitError::NotLeader { .. } | SubmitError::Unknown { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub async fn applied_everywhere(&self, index: u64) {
        for node in self.nodes.values() {
            assert!(node.wait_applied(index, Duration::from_secs(60)).await, "{:?}", node.status());
        }
    }

    pub async fn stop(mut self) {
        for node in std::mem::take(&mut self.nodes).into_values() {
            node.shutdown().await;
        }
    }

    /// Tries a change until its conditions hold: what a leader knows of others comes with heartbeats.
    pub async fn change(&self, node: u64, change: Change) {
        loop {
            match self.nodes[&node].change(change.clone()).await {
                Ok(()) => return,
                Err(ChangeError::Refused(why))
                    if why.contains("behind") || why.contains("answer") =>
                {
                    tokio::task::yield_now().await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_node_takes_a_command_and_all_apply_it() {
    let group = Group::begin().await;
    let mut last = 0;
    for (number, id) in (10..).zip([1, 2, 3, 1, 2, 3]) {
        last = group.write(id, add_partner(number)).await;
        // Whoever writes through a node reads its own write there.
        assert!(knows_partner(group.nodes[&id].reader(), number));
    }
    group.applied_everywhere(last).await;
    for node in group.nodes.values() {
        assert!(node.read_point().await.expect("a quorum").index >= last);
        assert!((10..16).all(|number| knows_partner(node.reader(), number)));
        assert_eq!(node.status().stuck, None);
    }
    let follower = &group.nodes[&group.follower().await];
    let refused = follower.confirm_leadership().await;
    assert!(matches!(refused, Err(LeadershipError::NotLeader { .. })));
    let many = follower.submit_many((50..90).map(add_partner).collect()).await;
    let many = many.expect("queued").await.expect("applied");
    assert_eq!(many.outcomes.len(), 40);
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_others_go_on_without_the_leader_and_it_catches_up_when_it_is_back() {
    let mut group = Group::begin().await;
    let first = group.leader().await;
    group.write(first, add_partner(10)).await;
    let gone = group.nodes.remove(&first).expect("it led");
    gone.shutdown().await;
    drop(gone);
    let left: Vec<u64> = group.nodes.keys().copied().collect();
    for (number, id) in (11..21).zip(left.iter().cycle()) {
        // The first one waits through the election; none is refused.
        let applied = group.nodes[id].submit(add_partner(number), None).await.expect("applied");
        assert!(applied.outcome.refusal().is_none());
    }
    assert_ne!(group.leader().await, first);
    group.start(first).await;
    let last = group.write(first, add_partner(21)).await;
    group.applied_everywhere(last).await;
    assert!((10..22).all(|number| knows_partner(group.nodes[&first].reader(), number)));
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lead_is_handed_over_when_asked_at_any_node() {
    let group = Group::begin().await;
    let first = group.leader().await;
    group.write(first, add_partner(10)).await;
    let to = group.follower().await;
    let asked = *group.nodes.keys().find(|id| ![first, to].contains(id)).expect("three of them");
    group.change(asked, Change::Lead { to: Some(to) }).await;
    let mut lead = group.nodes[&to].0.lead.clone();
    lead.wait_for(|lead| matches!(lead, Lead::Leading(_))).await.expect("leads");
    let last = group.write(first, add_partner(11)).await;
    group.applied_everywhere(last).await;
    group.nodes[&to].hand_over().await;
    assert!(!group.nodes[&to].leads());
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_learner_is_fed_promoted_and_takes_a_removed_voters_place() {
    let mut group = Group::begin().await;
    let leader = group.leader().await;
    let gone = group.follower().await;
    let address = group.addresses[&4].clone();
    let add = Change::AddLearner { node: 4, address };
    let early = group.nodes[&gone].change(add.clone()).await.expect_err("it does not run");
    assert!(early.to_string().contains("it must run before it is added"), "{early}");
    group.start(4).await;
    assert_eq!(group.nodes[&4].status().stuck, Some(Stuck::NotMember));
    group.change(gone, add.clone()).await;
    let again = group.nodes[&leader].change(add).await.expect_err("added twice");
    assert!(again.to_string().contains("is a member already"), "{again}");
    let last = group.write(leader, add_partner(10)).await;
    group.applied_everywhere(last).await;
    assert!(group.nodes[&4].read_point().await.expect("a learner reads").index >= last);
    let role = async |id: u64| {
        let members = group.nodes[&id].members().await;
        members.into_iter().find(|member| member.node == 4).map(|member| member.role)
    };
    assert_eq!(role(4).await, Some(MemberRole::Learner));
    group.change(4, Change::Promote { node: 4 }).await;
    assert_eq!(role(leader).await, Some(MemberRole::Voter));
    let own = group.nodes[&leader].change(Change::Remove { node: leader }).await;
    assert!(own.expect_err("it leads").to_string().contains("hand the lead over first"));
    group.change(leader, Change::Remove { node: gone }).await;
    group.nodes.remove(&gone).expect("there").shutdown().await;
    assert_eq!(group.nodes[&leader].members().await.len(), 3);
    let last = group.write(4, add_partner(11)).await;
    group.applied_everywhere(last).await;
    let mut digests = Vec::new();
    for node in group.nodes.values() {
        node.wait_applied(last, Duration::from_secs(60)).await;
        digests.push(knows_partner(node.reader(), 11));
    }
    assert_eq!(digests, [true; 3]);
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_voter_and_a_stranger_are_refused_under_an_old_id() {
    let mut group = Group::begin().await;
    let wiped = group.follower().await;
    group.nodes.remove(&wiped).expect("there").shutdown().await;
    group.dirs.insert(wiped, directory());
    let mut options = group.options(wiped);
    options.cluster.as_mut().expect("a cluster").disk = 99;
    let node = Node::open(options).await.expect("opened");
    let FatalError::Refused(why) = node.fatal().await else { panic!("another end") };
    assert!(why.contains("has another disk"), "{why}");
    node.shutdown().await;
    let mut options = group.options(wiped);
    options.cluster.as_mut().expect("a cluster").id = 8;
    let node = Node::open(options).await.expect("opened");
    let FatalError::Refused(why) = node.fatal().await else { panic!("another end") };
    assert!(why.contains("belongs to cluster"), "{why}");
    node.shutdown().await;
    let leader = group.leader().await;
    group.write(leader, add_partner(10)).await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_and_reads_go_on() {
    let mut group = Group::begin().await;
    let last = group.write(1, add_partner(10)).await;
    group.applied_everywhere(last).await;
    for node in std::mem::take(&mut group.nodes).into_values() {
        node.shutdown().await;
    }
    for id in 1..=3 {
        let options = Options { disk_reserve: u64::MAX, ..group.options(id) };
        group.nodes.insert(id, Node::open(options).await.expect("opened"));
    }
    for node in group.nodes.values() {
        let refused = node.submit(add_partner(11), None).await;
        assert!(matches!(refused, Err(SubmitError::DiskFull)), "{refused:?}");
        assert!(matches!(node.status().stuck, Some(Stuck::DiskFull { .. })));
        assert!(node.read_point().await.expect("a quorum").index >= last);
        assert!(knows_partner(node.reader(), 10));
    }
    group.stop().await;
}
