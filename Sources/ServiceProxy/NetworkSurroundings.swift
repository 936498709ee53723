import Glibc

/// What can be told about the network namespace of this process.
enum NetworkSurroundings {
    /// Whether this process is in another network namespace than the machine itself: in a container, unless that has the
    /// host's network.
    ///
    /// Neither `/.dockerenv`, which is there with the host's network too, nor `/proc/1/ns/net`, which is the container's own
    /// first process or unreadable, tells. The kernel does: it shows the settings of the whole machine, such as
    /// `net.core.netdev_max_backlog`, in the machine's own namespace only, those of a namespace, such as
    /// `net.core.somaxconn`, in all. Without `/proc/sys` nobody can tell, and the answer is no.
    static var isOwn: Bool {
        let settings = "/proc/sys/net/core"
        return access("\(settings)/somaxconn", F_OK) == 0 && access("\(settings)/netdev_max_backlog", F_OK) != 0
    }
}
