//! A data directory that belongs to one node of a cluster: made with the cluster's keys, held to its
//! identity ever after.
//!
//! **Invariant:** a directory never changes its cluster, its node or its disk id. One that was wiped gets
//! a new disk id, so that the cluster sees that what it acknowledged is gone.

use std::fs;
use std::path::Path;

use super::{
    DEPLOYMENT, Error, FORMAT, IDENTITY, Identity, SIGNING, hex_id, io_error, read_key, replace,
};
use crate::config::Cluster;
use crate::random;

/// Copies the shared keys into a directory that is being made; holds one that was made to them.
pub(super) fn take_keys(root: &Path, cluster: &Cluster) -> Result<(), Error> {
    let Some(shared) = &cluster.keys else { return Ok(()) };
    for name in [SIGNING, DEPLOYMENT] {
        let own = root.join(name);
        let file = own.file_name().unwrap_or_default();
        let given = shared.join(file);
        let key = read_key(&given)?;
        if !own.exists() && !root.join(IDENTITY).exists() {
            let text = fs::read(&given).map_err(io_error("cannot read", &given))?;
            replace(&own, &text)?;
        } else if *read_key(&own)? != *key {
            return Err(Error::OtherKeys { own, given });
        }
    }
    Ok(())
}

/// Who a directory that is being made will be.
pub(super) fn new_identity(cluster: &Cluster) -> Identity {
    Identity {
        format: FORMAT,
        cluster_id: hex_id(cluster.id),
        node_id: cluster.node,
        log_made: false,
        disk_id: Some(hex_id(random::bits())),
    }
}

/// Holds a directory to what it was made for.
pub(super) fn check(root: &Path, made: &Identity, asked: Option<&Cluster>) -> Result<(), Error> {
    let path = || root.to_owned();
    let Some(cluster) = asked else {
        return match &made.disk_id {
            None => Ok(()),
            Some(_) => Err(Error::OfACluster {
                path: path(),
                node: made.node_id,
                cluster: made.cluster_id.clone(),
            }),
        };
    };
    if made.disk_id.is_none() {
        return Err(Error::Alone { path: path() });
    }
    if made.cluster_id != hex_id(cluster.id) {
        let (made, asked) = (made.cluster_id.clone(), hex_id(cluster.id));
        return Err(Error::OtherCluster { path: path(), made, asked });
    }
    if made.node_id != cluster.node {
        let (made, asked) = (made.node_id, cluster.node);
        return Err(Error::OtherNode { path: path(), made, asked });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::DataDir;
    use super::*;

    fn cluster(keys: &Path) -> Cluster {
        Cluster {
            id: 7,
            node: 2,
            listen: ([127, 0, 0, 1], 7400).into(),
            voters: [(2, "127.0.0.1:7400".to_owned())].into(),
            keys: Some(keys.to_owned()),
            tls: None,
        }
    }

    fn keys(seed: char) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in ["signing.key", "deployment.key"] {
            fs::write(dir.path().join(name), seed.to_string().repeat(64)).unwrap();
        }
        dir
    }

    #[test]
    fn a_directory_is_held_to_its_cluster_node_and_keys() {
        let (dir, shared, others) = (tempfile::tempdir().unwrap(), keys('a'), keys('b'));
        let asked = cluster(shared.path());
        let made = DataDir::open_in(dir.path(), Some(&asked)).unwrap();
        assert_eq!(*made.secrets().signing_seed, [0xaa; 32]);
        let (identity, disk) = (made.identity().clone(), made.disk_id());
        assert_eq!((identity.cluster_id, identity.node_id), (hex_id(7), 2));
        drop(made);
        let again = DataDir::open_in(dir.path(), Some(&asked)).unwrap();
        assert_eq!(again.disk_id(), disk);
        drop(again);
        let refused = |asked: Option<&Cluster>| {
            DataDir::open_in(dir.path(), asked).err().unwrap().to_string()
        };
        assert!(refused(None).contains("belongs to node 2 of cluster"));
        let other = Cluster { id: 8, ..asked.clone() };
        assert!(refused(Some(&other)).contains("was made for cluster"));
        let other = Cluster { node: 3, ..asked.clone() };
        assert!(refused(Some(&other)).contains("is node 2's, not node 3's"));
        let other = Cluster { keys: Some(others.path().to_owned()), ..asked };
        assert!(refused(Some(&other)).contains("is not the cluster's"));
    }

    #[test]
    fn a_wiped_directory_has_another_disk_id_and_one_that_was_alone_stays_so() {
        let shared = keys('a');
        let asked = cluster(shared.path());
        let disk = || {
            let dir = tempfile::tempdir().unwrap();
            DataDir::open_in(dir.path(), Some(&asked)).unwrap().disk_id()
        };
        assert_ne!(disk(), disk());
        let alone = tempfile::tempdir().unwrap();
        drop(DataDir::open(alone.path()).unwrap());
        let refused = DataDir::open_in(alone.path(), Some(&cluster(shared.path())));
        let refused = refused.err().unwrap().to_string();
        assert!(refused.contains("begun by a node that is alone"), "{refused}");
    }
}
