//! Which container and pod a process belongs to, from trees that show what engines leave behind.

use zastava::contract::Observed;
use zastava::inspect::ProcessObservation;
use zastava::process::{Engine, Source};

use crate::proc_tree::{ProcTree, gaps};

const ID: &str = "0d7b506bbcea05f3a1c0de5b0c0ffee00112233445566778899aabbccddeeff0";
const SANDBOX: &str = "4d23d04a5902bebf9274f37fc52b8f68cb3adf6436da9f3b3c5a1dddda2518ea";
const POD: &str = "76d2231f-cecc-4824-b77f-bcc556996bfd";
const OWN: [&str; 6] = ["mnt", "pid", "net", "ipc", "uts", "cgroup"];

/// `engine://id`, `?` for what is not known.
fn container(observed: &Observed<ProcessObservation>) -> String {
    match &observed.value.membership.container {
        Some(c) => format!("{}://{}", c.engine.map_or("?", Engine::as_str), c.id),
        None => "none".to_owned(),
    }
}

fn overlay(mounts: &str) -> Vec<u8> {
    format!("300 280 0:54 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w\n{mounts}")
        .into_bytes()
}

#[test]
fn a_process_of_the_host_belongs_to_no_container() {
    let tree = ProcTree::new();
    tree.process(7).file("cgroup", b"0::/system.slice/ssh.service\n");
    let observed = tree.observe(7);
    assert_eq!((container(&observed), gaps(&observed)), ("none".to_owned(), vec![]));
    assert_eq!(observed.value.membership.isolated, Some(false));
}

// Pitfall 44, the recorded files of a real node.
#[test]
fn the_recorded_cgroups_of_two_engines_name_container_and_pod() {
    let tree = ProcTree::new();
    let recorded: [(&[u8], &str, &str); 2] = [
        (
            include_bytes!("../fixtures/cri/containerd-proc-cgroup-v1.txt"),
            "?://c043bcef70330bfd68d286efa3160e6ce5f18353a87bcf0451e8d1daac32d5da",
            "f3882352-5620-43aa-96c7-54af04320e5a",
        ),
        (
            include_bytes!("../fixtures/cri/crio-proc-cgroup-v1.txt"),
            "cri-o://a9c6bad9f6801d674c28cb6aa1785cf904e64bd15b4155cab1aeddac0b84cb01",
            POD,
        ),
    ];
    for (bytes, id, pod) in recorded {
        tree.process(7).own_namespaces(&OWN).file("cgroup", bytes);
        let observed = tree.observe(7);
        assert_eq!(container(&observed), id);
        let member = &observed.value.membership;
        assert_eq!(member.pod.as_ref().unwrap().uid, pod);
        assert_eq!(member.container.as_ref().unwrap().source, Source::Cgroup);
    }
}

// Pitfalls 43 and 46: in a pod the bind mounts name the sandbox, which is not the container.
#[test]
fn the_recorded_mounts_of_a_pod_tell_its_name_and_never_the_sandbox() {
    let tree = ProcTree::new();
    let mounts = include_bytes!("../fixtures/cri/crio-proc-mountinfo.txt");
    let cgroup = include_bytes!("../fixtures/cri/crio-proc-cgroup-v1.txt");
    tree.process(7).own_namespaces(&OWN).file("mountinfo", mounts).file("cgroup", cgroup);
    let observed = tree.observe(7);
    assert_eq!(observed.value.membership.container_name.as_deref(), Some("sa-pod"));
    assert!(!container(&observed).contains(SANDBOX));
    // With the cgroup hidden, the pod is still known and the container is a gap.
    let mounts = overlay(std::str::from_utf8(mounts).unwrap());
    tree.process(7).own_namespaces(&OWN).file("mountinfo", &mounts).file("cgroup", b"0::/\n");
    let observed = tree.observe(7);
    assert_eq!(container(&observed), "none");
    assert_eq!(observed.value.membership.pod.as_ref().unwrap().uid, POD);
    assert_eq!(gaps(&observed), ["workload.containerId: not-found"]);
}

// Pitfall 46: a private cgroup namespace shows `/`.
#[test]
fn behind_a_private_cgroup_namespace_dockers_bind_mounts_name_the_container() {
    let tree = ProcTree::new();
    let mount = |from: &str, to: &str| {
        overlay(&format!("301 300 254:0 {from} {to} rw - ext4 /dev/vda rw\n"))
    };
    let docker = mount(&format!("/var/lib/docker/containers/{ID}/hostname"), "/etc/hostname");
    tree.process(7).own_namespaces(&OWN).file("mountinfo", &docker).file("cgroup", b"0::/../..\n");
    let observed = tree.observe(7);
    assert_eq!(container(&observed), format!("docker://{ID}"));
    assert_eq!(observed.value.membership.container.as_ref().unwrap().source, Source::Mountinfo);
    let podman = mount(
        &format!("/run/containers/storage/overlay-containers/{ID}/userdata/hosts"),
        "/etc/hosts",
    );
    tree.process(7).own_namespaces(&OWN).file("mountinfo", &podman);
    assert_eq!(container(&tree.observe(7)), format!("podman://{ID}"));
    // The same path mounted where no engine mounts it is somebody's volume.
    let volume = mount(&format!("/var/lib/docker/containers/{ID}/hostname"), "/data");
    tree.process(7).own_namespaces(&OWN).file("mountinfo", &volume);
    let observed = tree.observe(7);
    assert_eq!(
        (container(&observed), gaps(&observed)),
        ("none".to_owned(), vec!["workload.containerId: not-found".to_owned()])
    );
}

// Pitfall 45: `runc run web` makes the cgroup `/web`, and so may anybody.
#[test]
fn a_bare_name_counts_only_with_namespaces_and_a_root_of_its_own() {
    let tree = ProcTree::new();
    let web = || tree.process(7).file("cgroup", b"9:name=systemd:/web\n0::/web\n");
    web();
    assert_eq!(container(&tree.observe(7)), "none", "a process of the host");
    web().own_namespaces(&["mnt"]);
    assert_eq!(container(&tree.observe(7)), "none", "a service with a private /tmp");
    web().own_namespaces(&["mnt", "pid"]);
    let observed = tree.observe(7);
    assert_eq!(container(&observed), "none", "an unshare of the host's own root");
    assert_eq!(gaps(&observed), ["workload.containerId: not-found"]);
    web().own_namespaces(&["mnt"]).file("mountinfo", &overlay(""));
    assert_eq!(container(&tree.observe(7)), "?://web", "a container with the host's pids");
    web().own_namespaces(&["mnt", "pid"]).file("mountinfo", &overlay(""));
    let observed = tree.observe(7);
    assert_eq!(container(&observed), "?://web");
    assert_eq!(observed.value.membership.container.as_ref().unwrap().source, Source::CgroupName);
}

// Pitfall 48.
#[test]
fn an_engine_that_the_path_does_not_name_is_known_by_its_shim() {
    let tree = ProcTree::new();
    let cgroup = format!("0::/kubepods/burstable/pod{POD}/{ID}\n");
    let app = || {
        tree.process(7)
            .stat("app", b'S', 6, 100)
            .own_namespaces(&OWN)
            .file("cgroup", cgroup.as_bytes())
    };
    let shim = |comm: &str, argv: &[u8]| {
        tree.process(6).stat(comm, b'S', 1, 90).file("cmdline", argv);
    };
    app();
    let cases: [(&str, &[u8], &str); 4] = [
        (
            "containerd-shim",
            b"/usr/bin/containerd-shim-runc-v2\0-namespace\0k8s.io\0-id\0x\0",
            "containerd",
        ),
        (
            "containerd-shim",
            b"/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0-id\0x\0",
            "docker",
        ),
        ("conmon", b"/usr/bin/conmon\0-b\0/run\0", "cri-o"),
        ("bash", b"bash\0moby\0", "?"),
    ];
    for (comm, argv, engine) in cases {
        shim(comm, argv);
        assert_eq!(container(&tree.observe(7)), format!("{engine}://{ID}"), "{comm}");
    }
    // A process inside the container that calls itself a shim is none.
    shim("containerd-shim", b"containerd-shim\0");
    tree.process(6)
        .stat("containerd-shim", b'S', 1, 90)
        .own_namespaces(&OWN)
        .file("cmdline", b"x\0");
    assert_eq!(container(&tree.observe(7)), format!("?://{ID}"));
}

// Pitfalls 42 and 50.
#[test]
fn a_container_that_sees_the_host_is_remarked_upon() {
    let tree = ProcTree::new();
    let codes = || {
        tree.observe(7)
            .value
            .notable
            .iter()
            .map(|n| (n.code.as_str(), n.text.clone()))
            .collect::<Vec<_>>()
    };
    let docker = || tree.process(7).file("cgroup", format!("0::/docker/{ID}\n").as_bytes());
    docker().own_namespaces(&OWN);
    assert_eq!(codes(), []);
    docker().own_namespaces(&["mnt", "ipc", "uts"]);
    assert_eq!(
        codes(),
        [("host-namespace", "is its container, in the host's net, pid namespace".to_owned())]
    );
    docker();
    let text = "is the container that its cgroup names, but it sees the host's files";
    assert_eq!(codes(), [("not-isolated", text.to_owned())]);
}

#[test]
fn whose_namespaces_they_are_is_a_gap_where_init_cannot_be_read() {
    let tree = ProcTree::new();
    let app = tree.process(7).own_namespaces(&["net"]);
    let net = |tree: &ProcTree| {
        let observed = tree.observe(7);
        let host =
            observed.value.namespaces.iter().find(|ns| ns.kind.as_str() == "net").unwrap().host;
        (host, gaps(&observed))
    };
    assert_eq!(net(&tree), (Some(false), vec![]));
    // An older kernel, where the host's network namespace has a number like any other.
    tree.process(1).stat("init", b'S', 0, 1).link("ns/net", "net:[4026531840]");
    app.link("ns/net", "net:[4026531840]");
    assert_eq!(net(&tree), (Some(true), vec![]));
    tree.process(1).stat("init", b'S', 0, 1).without("ns/net");
    assert_eq!(net(&tree), (None, vec!["process.namespaces.host: denied".to_owned()]));
}

// Silence of the witnesses is no proof of freedom.
#[test]
fn no_container_is_said_only_when_what_would_tell_was_read() {
    let tree = ProcTree::new();
    tree.process(7).without("cgroup");
    let observed = tree.observe(7);
    assert_eq!(observed.value.membership.isolated, None);
    let told = gaps(&observed);
    assert!(told.contains(&"workload.containerId: not-found".to_owned()), "{told:?}");
}

#[test]
fn what_a_status_does_not_tell_is_a_gap() {
    let tree = ProcTree::new();
    let status = b"Tgid:\t7\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nNSpid:\t7\nCapEff:\t0\n";
    tree.process(7).file("status", status);
    let told =
        ["process.security.seccomp: unsupported", "process.security.noNewPrivs: unsupported"];
    assert_eq!(gaps(&tree.observe(7)), told);
}

// Pitfall 52.
#[test]
fn the_pid_inside_stands_beside_the_pid_outside() {
    let tree = ProcTree::new();
    let status = b"Tgid:\t7\nNSpid:\t7\t21\t1\nUid:\t0\t0\t0\t0\n";
    tree.process(7).file("status", status);
    assert_eq!(tree.observe(7).value.identity.ns_pids, [7, 21, 1]);
}
