//! From the path of a cgroup to the container and the pod that it belongs to.
//!
//! The engines each have a form of their own, and a path may name several containers (an engine
//! inside a container): the innermost counts, the outer ones are kept. Two kinds of answer are told
//! apart. A *named* container stands in a form that one kind of program writes
//! (`docker-<64 hex>.scope`). A *candidate* is only the last part of the path: `runc run web` makes
//! `/web`, and so may anybody; it needs other evidence, such as a mount namespace of its own.
//!
//! Identifiers are the workload's or its owner's to choose, so they are held to the letters that
//! runc takes before they count as one.

use std::str;

/// The program whose form a path has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// containerd, through CRI, `ctr` or `nerdctl`.
    Containerd,
    /// CRI-O.
    CriO,
    /// Docker, or something that speaks for it.
    Docker,
    /// Podman.
    Podman,
}

impl Engine {
    /// The word before `://` in a container id.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::CriO => "cri-o",
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// The class of a pod, from the cgroup that the kubelet put it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QosClass {
    /// Requests equal limits.
    Guaranteed,
    /// Some requests.
    Burstable,
    /// No requests.
    BestEffort,
}

impl QosClass {
    /// The word as the Kubernetes API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guaranteed => "Guaranteed",
            Self::Burstable => "Burstable",
            Self::BestEffort => "BestEffort",
        }
    }
}

/// A pod, as far as a path tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodUid {
    /// The uid with dashes; 32 hexadecimal digits without any for a static pod.
    pub uid: String,
    /// The class; absent where the path is cut off above the pod (a private cgroup namespace).
    pub qos: Option<QosClass>,
}

/// A container named in a form that an engine writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedContainer<'a> {
    /// The full id; not always 64 hexadecimal digits.
    pub id: &'a str,
    /// The engine, where the form is one engine's own.
    pub engine: Option<Engine>,
    /// The pod around it.
    pub pod: Option<PodUid>,
}

/// What a cgroup path says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement<'a> {
    /// Named containers, the outermost first; the process is in the last one.
    pub containers: Vec<NamedContainer<'a>>,
    /// A pod that no container of `containers` is in: the process is beside its containers.
    pub pod: Option<PodUid>,
    /// The last part of the path, where nothing is named and it could be an id.
    pub candidate: Option<&'a str>,
}

/// Reads a cgroup path.
#[must_use]
pub fn placement(path: &[u8]) -> Placement<'_> {
    let mut placement = Placement::default();
    let mut previous: &[u8] = b"";
    let mut before_previous: &[u8] = b"";
    for segment in path.split(|&b| b == b'/').filter(|s| !s.is_empty() && *s != b"..") {
        let (slice, name) = split_colons(segment);
        if let Some(pod) = pod_uid(slice, previous) {
            placement.pod = Some(pod);
        }
        if let Some((id, engine)) = named(name, previous, before_previous) {
            let pod = placement.pod.take();
            placement.containers.push(NamedContainer { id, engine, pod });
        }
        before_previous = previous;
        previous = segment;
    }
    if placement.containers.is_empty() && placement.pod.is_none() {
        placement.candidate = candidate(previous);
    }
    placement
}

/// `slice:prefix:id` is what a cgroupfs driver makes of a systemd path: the slice, and `prefix-id`.
fn split_colons(segment: &[u8]) -> (&[u8], Name<'_>) {
    let mut parts = segment.rsplitn(3, |&b| b == b':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(id), Some(prefix), Some(slice)) => (slice, Name { prefix: Some(prefix), text: id }),
        _ => (segment, Name { prefix: None, text: segment }),
    }
}

#[derive(Clone, Copy)]
struct Name<'a> {
    prefix: Option<&'a [u8]>,
    text: &'a [u8],
}

/// What engines put before the id, with `-` behind it in a scope or alone between colons.
const PREFIXES: [(&[u8], Engine); 5] = [
    (b"docker", Engine::Docker),
    (b"cri-containerd", Engine::Containerd),
    (b"crio", Engine::CriO),
    (b"libpod", Engine::Podman),
    (b"nerdctl", Engine::Containerd),
];

fn named<'a>(
    name: Name<'a>,
    parent: &[u8],
    grandparent: &[u8],
) -> Option<(&'a str, Option<Engine>)> {
    if let Some(prefix) = name.prefix {
        let (_, engine) = PREFIXES.iter().find(|(word, _)| *word == prefix)?;
        return Some((identifier(name.text)?, Some(*engine)));
    }
    let text = name.text.strip_suffix(b".scope").unwrap_or(name.text);
    for (word, engine) in PREFIXES {
        // `crio-conmon-<id>` is the engine's own monitor: what follows the prefix is no id.
        let id = text.strip_prefix(word).and_then(|rest| rest.strip_prefix(b"-"));
        if let Some(id) = id.filter(|id| is_hex(id, 64)) {
            return Some((identifier(id)?, Some(engine)));
        }
    }
    let known = match parent {
        b"docker" if is_hex(text, 64) => Some(Engine::Docker),
        b"k8s.io" | b"moby" => {
            Some(if parent == b"moby" { Engine::Docker } else { Engine::Containerd })
        }
        b"garden" | b"mesos" | b"buildkit" | b"lxc" => None,
        _ if is_hex(text, 64) => None,
        _ if grandparent == b"ecs" && is_fargate(text) => None,
        _ => {
            let id = text.strip_prefix(b"lxc.payload.")?;
            return Some((identifier(id)?, None));
        }
    };
    // A unit of an init system inside such a group is not a container of its own.
    Some((identifier(text).filter(|_| !is_unit(name.text))?, known))
}

/// `<32 hex>-<digits>`, as the cgroups of a Fargate task are called.
fn is_fargate(text: &[u8]) -> bool {
    let Some(dash) = text.iter().position(|&b| b == b'-') else {
        return false;
    };
    let (task, rest) = text.split_at_checked(dash).unwrap_or((text, &[]));
    is_hex(task, 32) && rest.len() > 1 && rest.iter().skip(1).all(u8::is_ascii_digit)
}

fn is_hex(text: &[u8], length: usize) -> bool {
    text.len() == length && text.iter().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

/// An id as runc takes it: letters, digits, `_`, `+`, `-` and `.`, not `.` or `..`.
fn identifier(text: &[u8]) -> Option<&str> {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-' | b'.');
    let dots = text.iter().all(|&b| b == b'.');
    let fits = (1..=255).contains(&text.len());
    (fits && !dots && text.iter().all(allowed)).then(|| str::from_utf8(text).ok()).flatten()
}

fn is_unit(text: &[u8]) -> bool {
    const UNITS: [&[u8]; 6] = [b".slice", b".scope", b".service", b".socket", b".mount", b".swap"];
    UNITS.iter().any(|suffix| text.ends_with(suffix))
}

fn candidate(last: &[u8]) -> Option<&str> {
    identifier(last).filter(|_| !is_unit(last))
}

/// `pod<uid>`, or `…-pod<uid>.slice` with the uid's dashes written as underscores.
fn pod_uid(segment: &[u8], parent: &[u8]) -> Option<PodUid> {
    let (uid, slice) = match segment.strip_suffix(b".slice") {
        Some(name) => {
            let at = name.windows(4).rposition(|four| four == b"-pod")?;
            (name.get(at.checked_add(4)?..)?, name)
        }
        None => (segment.strip_prefix(b"pod")?, parent),
    };
    let normal: Vec<u8> = uid.iter().map(|&b| if b == b'_' { b'-' } else { b }).collect();
    let dashed = normal.len() == 36
        && normal.split(|&b| b == b'-').map(<[u8]>::len).eq([8, 4, 4, 4, 12])
        && normal.split(|&b| b == b'-').all(|part| is_hex(part, part.len()));
    if !dashed && !is_hex(&normal, 32) {
        return None;
    }
    let contains = |word: &[u8]| slice.windows(word.len()).any(|part| part == word);
    let qos = if contains(b"burstable") {
        Some(QosClass::Burstable)
    } else if contains(b"besteffort") {
        Some(QosClass::BestEffort)
    } else {
        contains(b"kubepods").then_some(QosClass::Guaranteed)
    };
    Some(PodUid { uid: String::from_utf8(normal).ok()?, qos })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0d7b506bbcea05f3a1c0de5b0c0ffee00112233445566778899aabbccddeeff0";
    const B: &str = "1e4680e2d366e9a0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728";
    const POD: &str = "f3882352-5620-43aa-96c7-54af04320e5a";

    fn filled(path: &str) -> String {
        path.replace("{A}", A)
            .replace("{B}", B)
            .replace("{P}", POD)
            .replace("{P_}", &POD.replace('-', "_"))
    }

    /// `engine://id` of the innermost container, `?` for an engine that the path does not tell.
    fn innermost(path: &str) -> Option<String> {
        let path = filled(path);
        let found = placement(path.as_bytes());
        found.containers.last().map(|c| {
            format!("{}://{}", c.engine.map_or("?", Engine::as_str), c.id)
                .replace(A, "{A}")
                .replace(B, "{B}")
        })
    }

    // Pitfall 44: the forms of the engines, from the field.
    #[test]
    fn every_engines_form_is_read() {
        let cases = [
            ("/docker/{A}", "docker://{A}"),
            ("/docker-lab/{A}", "?://{A}"),
            ("/system.slice/docker-{A}.scope", "docker://{A}"),
            (
                "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{A}.scope",
                "docker://{A}",
            ),
            ("/kubepods/burstable/pod{P}/{A}", "?://{A}"),
            ("/kubepods/besteffort/pod{P}/crio-{A}", "cri-o://{A}"),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{P_}.slice/crio-{A}.scope",
                "cri-o://{A}",
            ),
            ("/kubepods.slice/kubepods-pod{P_}.slice/cri-containerd-{A}.scope", "containerd://{A}"),
            (
                "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{P_}.slice/docker-{A}.scope",
                "docker://{A}",
            ),
            (
                "/system.slice/containerd.service/kubepods-burstable-pod{P_}.slice:cri-containerd:{A}",
                "containerd://{A}",
            ),
            ("/kubepods-besteffort-pod{P_}.slice:cri-containerd:{A}", "containerd://{A}"),
            ("/system.slice:docker:{A}", "docker://{A}"),
            ("/machine.slice/libpod-{A}.scope/container", "podman://{A}"),
            ("/machine.slice/libpod-{A}.scope", "podman://{A}"),
            ("/libpod_parent/libpod-{A}", "podman://{A}"),
            (
                "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{A}.scope/container",
                "podman://{A}",
            ),
            ("/system.slice/nerdctl-{A}.scope", "containerd://{A}"),
            ("/default/{A}", "?://{A}"),
            ("/k8s.io/{A}", "containerd://{A}"),
            ("/moby/{A}", "docker://{A}"),
            ("/actions_job/{A}", "?://{A}"),
            ("/ecs/0123456789abcdef0123456789abcdef/{A}", "?://{A}"),
            (
                "/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-1234567890",
                "?://0123456789abcdef0123456789abcdef-1234567890",
            ),
            (
                "/system.slice/garden.service/garden/6dfc9a4f-5a3f-4d59-4d1c-a5bd",
                "?://6dfc9a4f-5a3f-4d59-4d1c-a5bd",
            ),
            (
                "/garden/7c3e9d3f-1d6e-4f4a-6f0b-3c1d2b8e9a10",
                "?://7c3e9d3f-1d6e-4f4a-6f0b-3c1d2b8e9a10",
            ),
            (
                "/mesos/35c4b8a0-1111-4222-8333-444455556666/mesos/9ab1c2d3-1111-4222-8333-444455556666",
                "?://9ab1c2d3-1111-4222-8333-444455556666",
            ),
            ("/docker/buildkit/x0y1z2a3b4c5d6e7f8g9h0i1j", "?://x0y1z2a3b4c5d6e7f8g9h0i1j"),
            ("/lxc.payload.web", "?://web"),
            ("/lxc/web", "?://web"),
            ("/labk/kubepods/besteffort/pod{P}/{A}", "?://{A}"),
        ];
        for (path, expected) in cases {
            assert_eq!(innermost(path).as_deref(), Some(expected), "{path}");
        }
    }

    // Pitfall 45: ids that are not 64 hexadecimal digits.
    #[test]
    fn an_id_of_ctr_is_named_and_one_of_plain_runc_is_a_candidate() {
        assert_eq!(innermost("/k8s.io/mycontainer").as_deref(), Some("containerd://mycontainer"));
        for (path, id) in [("/t1", "t1"), ("/default/mycontainer", "mycontainer")] {
            let found = placement(path.as_bytes());
            assert_eq!((found.containers.len(), found.candidate), (0, Some(id)), "{path}");
        }
    }

    #[test]
    fn an_init_system_inside_a_container_is_still_that_container() {
        for path in [
            "/docker/{A}/init.scope",
            "/docker/{A}/system.slice/containerd.service",
            "/system.slice/docker-{A}.scope/system.slice/ssh.service",
            "/docker/{A}/syscont-cgroup-root/init.scope",
        ] {
            assert_eq!(innermost(path).as_deref(), Some("docker://{A}"), "{path}");
        }
        assert_eq!(innermost("/kubepods/pod{P}/{A}/init.scope").as_deref(), Some("?://{A}"));
    }

    #[test]
    fn of_nested_containers_the_innermost_counts_and_the_outer_ones_are_kept() {
        let path = filled("/docker/{A}/kubelet/kubepods/burstable/pod{P}/{B}");
        let found = placement(path.as_bytes());
        let pod = PodUid { uid: POD.to_owned(), qos: Some(QosClass::Burstable) };
        assert_eq!(
            found.containers,
            [
                NamedContainer { id: A, engine: Some(Engine::Docker), pod: None },
                NamedContainer { id: B, engine: None, pod: Some(pod) },
            ]
        );
        // Docker in a pod: the inner container is not the pod's, its surroundings are.
        let path = filled("/kubepods/burstable/pod{P}/{A}/docker/{B}");
        let found = placement(path.as_bytes());
        assert_eq!(found.containers[1].pod, None);
        assert_eq!(found.containers[0].pod.as_ref().unwrap().uid, POD);
    }

    #[test]
    fn the_engines_own_monitors_are_no_containers() {
        for path in [
            "/system.slice/crio-conmon-{A}.scope",
            "/machine.slice/libpod-conmon-{A}.scope",
            "/system.slice/docker.service",
            "/system.slice/containerd.service",
        ] {
            let path = filled(path);
            assert_eq!(placement(path.as_bytes()), Placement::default(), "{path}");
        }
    }

    // Pitfall 47, and the ordinary places of a host.
    #[test]
    fn snaps_sessions_and_services_are_no_containers() {
        for path in [
            "/user.slice/user-1000.slice/user@1000.service/app.slice/snap.kubectl.kubectl-6b3f3d0e-52fd-4a0a-9a3d-0123456789ab.scope",
            "/user.slice/user-1000.slice/session-3.scope",
            "/system.slice/run-u123.scope",
            "/init.scope",
            "/",
            "/../..",
            "",
        ] {
            assert_eq!(placement(path.as_bytes()), Placement::default(), "{path}");
        }
    }

    // Pitfall 46: what a reader in a cgroup namespace of its own sees of its neighbours.
    #[test]
    fn a_path_relative_to_another_cgroup_namespace_still_tells_the_id() {
        let path = filled("/../../burstable/pod{P}/{A}");
        let found = placement(path.as_bytes());
        assert_eq!(
            found.containers[0].pod,
            Some(PodUid { uid: POD.to_owned(), qos: Some(QosClass::Burstable) })
        );
        let path = filled("/../pod{P}/{A}");
        assert_eq!(placement(path.as_bytes()).containers[0].pod.as_ref().unwrap().qos, None);
    }

    #[test]
    fn a_pod_has_its_uid_and_class_in_every_form() {
        let cases = [
            ("/kubepods/pod{P}/{A}", QosClass::Guaranteed),
            ("/kubepods/besteffort/pod{P}/{A}", QosClass::BestEffort),
            ("/kubepods.slice/kubepods-pod{P_}.slice/crio-{A}.scope", QosClass::Guaranteed),
            (
                "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod{P_}.slice/cri-containerd-{A}.scope",
                QosClass::Burstable,
            ),
            ("/kubepods-besteffort-pod{P_}.slice:cri-containerd:{A}", QosClass::BestEffort),
        ];
        for (path, qos) in cases {
            let path = filled(path);
            let found = placement(path.as_bytes());
            let pod = found.containers[0].pod.clone().unwrap();
            assert_eq!(pod, PodUid { uid: POD.to_owned(), qos: Some(qos) }, "{path}");
        }
        let static_pod = filled("/kubepods/burstable/pod0123456789abcdef0123456789abcdef/{A}");
        let found = placement(static_pod.as_bytes());
        assert_eq!(
            found.containers[0].pod.as_ref().unwrap().uid,
            "0123456789abcdef0123456789abcdef"
        );
    }

    #[test]
    fn a_process_of_the_pod_but_of_no_container_keeps_the_pod() {
        let path = filled("/kubepods/burstable/pod{P}");
        let found = placement(path.as_bytes());
        assert_eq!((found.containers.len(), found.candidate), (0, None));
        assert_eq!(found.pod.unwrap().uid, POD);
    }

    // Pitfall 50: names are chosen by whoever may make a cgroup.
    #[test]
    fn an_id_with_letters_that_no_runtime_takes_is_none() {
        let long = format!("/{}", "a".repeat(256));
        let hostile: [&[u8]; 6] = [
            b"/k8s.io/\x1b[2J",
            b"/k8s.io/a b",
            b"/\xff",
            b"/...",
            long.as_bytes(),
            b"/k8s.io/a\nb",
        ];
        for path in hostile {
            assert_eq!(placement(path), Placement::default(), "{}", path.escape_ascii());
        }
        let short = filled("/system.slice/docker-abc.scope");
        assert_eq!(placement(short.as_bytes()), Placement::default());
    }
}
