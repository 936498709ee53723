package import NetTypes

/// What the socket plane is told.
package struct SocketConfiguration: Sendable {
    /// A folder of a cgroup2 file system: programs in this control group and those below are served.
    ///
    /// nil for the root of the first such file system, which is every program of the machine (or of the container).
    package var controlGroup: String?
    /// Addresses that are left alone even if a Service has them, because this process serves them itself: the DNS server's.
    package var exemptAddresses: Set<IPAddress> = []
    /// For how many frontends, endpoints and list places the first maps are made; they are replaced by larger ones.
    package var firstCapacity = (routes: 1024, endpoints: 4096, slots: 8192)
    /// False leaves refusing to the plane beneath, as has to be on kernels before 6.1.
    package var refusesByItself = true

    package init() {}
}
