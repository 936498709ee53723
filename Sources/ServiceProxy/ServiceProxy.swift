import ClusterDNS
package import ClusterModel
package import ClusterStore
package import ControlPlane
import FoundationEssentials
import LinuxKernel
package import Logging
import Manifests
import NFTablesProxy
package import NetTypes
import ProxyHealth
import ServiceRouting
import SocketProxy
import StorePersistence
import Synchronization
import UserspaceProxy

/// Everything that a cluster does for Services, in one process: store, controllers, data plane, DNS, manifests.
package final class ServiceProxy: Sendable {
    package let store: Store
    /// Writes Events about pods and Services.
    package let events: EventRecorder
    let configuration: ServiceProxyConfiguration
    let logger: Logger
    private let controlPlane: ControlPlane
    private let board = ProblemBoard()
    private let manifestsRead = Gate()
    private let routed = Mutex<UInt64>(0)
    let dnsAddress: IPAddress?
    let dnsPod: DNSPod
    let dns = Mutex(NameServer.starting)
    let nodeResolvConf: ResolvConf
    private let dataPlaneStart = Mutex<DataPlaneStart?>(nil)
    let onChange: @Sendable () -> Void

    /// Reads what an earlier run has kept, and adds what every cluster has; nothing listens yet.
    ///
    /// - Parameter onChange: called when ``isSettled`` or ``problems`` may have changed.
    /// - Throws: when the file cannot be used, or the built-in objects are refused, which means a bad configuration.
    package init(
        _ configuration: ServiceProxyConfiguration, logger: Logger, onChange: @escaping @Sendable () -> Void = {}
    ) throws {
        self.onChange = onChange
        self.configuration = configuration
        self.logger = logger
        let now = configuration.unixSeconds
        let admission = ClusterAdmission(configuration.networks)
        let journal = try configuration.storeFile.map { try SQLiteJournal(path: $0) }
        var contents = try journal?.contents() ?? StoreContents()
        contents.objects = Self.withoutTraces(contents.objects, nodes: configuration.nodes)
        admission.restore(contents.objects.filter { $0.type == .services })
        store = Store(
            admission: admission, source: SystemStoreSource(now: now), journal: journal, contents: contents)
        events = EventRecorder(store, now: now)
        dnsPod = DNSPod(store, node: configuration.nodeName, address: configuration.nodeAddress, now: now)
        controlPlane = ControlPlane(
            store, networks: configuration.networks, dnsPod: dnsPod, events: events, logger: logger, now: now)
        dnsAddress = BuiltInObjects.dnsAddress(configuration.networks)
        let text = (try? String(contentsOf: URL(filePath: configuration.nodeResolvConf), encoding: .utf8)) ?? ""
        nodeResolvConf = ResolvConf(parsing: text)
        let time = Timestamp.text(unixSeconds: now())
        let nodes = configuration.nodes.map { played in
            var node = BuiltInObjects.node(
                name: played.name, address: played.address, architecture: NodeFacts.architecture, zone: played.zone,
                podRange: played.podRange)
            NodeFacts.add(to: &node, at: time)
            return node
        }
        try BuiltInObjects.create(in: store, networks: configuration.networks, nodes: nodes)
        try dnsPod.restore()
    }

    /// Chooses and starts the data plane, unless that was done before; nothing is served yet.
    ///
    /// Whoever calls this has to call ``run()`` too, which stops the plane at its end.
    /// - Throws: when none of those that may be chosen can be started.
    package func startDataPlane() throws(DataPlaneFailure) {
        _ = try startedPlane()
    }

    /// Which data plane runs, why, and what would be faster; nil before its start.
    package var dataPlaneExplanation: String? { dataPlaneStart.withLock { $0?.explanation } }

    private func startedPlane() throws(DataPlaneFailure) -> any DataPlane {
        if let start = dataPlaneStart.withLock({ $0 }) { return start.plane }
        let choice = DataPlaneChoice(configuration.dataPlane, hasOwnNetwork: NetworkSurroundings.isOwn)
        let start = try DataPlaneStart(choice) {
            try DataPlaneStart.plane(
                $0, userspace: configuration.userspace, socket: socketConfiguration, nftables: nftablesConfiguration,
                logger: logger)
        }
        dataPlaneStart.withLock { $0 = start }
        logger.notice("\(start.explanation)")
        return start.plane
    }

    /// The DNS server listens at its cluster IP itself, so that no query has to be relayed to its pod.
    private var dnsExemption: Set<IPAddress> { Set(dnsAddress.map { [$0] } ?? []) }

    private var socketConfiguration: SocketConfiguration {
        var socket = SocketConfiguration()
        socket.controlGroup = configuration.socketControlGroup
        socket.exemptAddresses = dnsExemption
        return socket
    }

    private var nftablesConfiguration: NFTablesConfiguration {
        var nftables = NFTablesConfiguration()
        nftables.exemptAddresses = dnsExemption
        nftables.otherNodes = configuration.nodes.count - 1
        let blocks = configuration.networks.serviceRanges
        nftables.forwardedFamilies = Set(blocks.filter { !$0.isLoopback }.map(\.family))
        // Suites with blocks of their own run side by side.
        if let block = blocks.first, block.isLoopback { nftables.instance = block.network.octets[1] }
        return nftables
    }

    /// Runs until the task is cancelled, then leaves no socket behind.
    ///
    /// - Throws: when no data plane can be started.
    package func run() async throws {
        let started = try startedPlane()
        let routes = ownAddresses()
        defer { for route in routes { route.remove() } }
        let silence = routes.isEmpty || started.name == "nftables" ? nil : silencePings()
        defer { silence?.end() }
        let blocks = configuration.networks.serviceRanges.filter { $0.family == .v6 && !$0.isLoopback }
        let plane =
            blocks.isEmpty
            ? started : LinkAddressPlane(started, blocks: blocks, besides: configuration.nodeAddress) ?? started
        let status = proxyStatus(plane)
        await withDiscardingTaskGroup { group in
            group.addTask { await self.controlPlane.run(onHandled: self.onChange) }
            group.addTask { await self.runDNS() }
            group.addTask { await self.route(plane, status) }
            group.addTask { await self.serveHealth(status) }
            group.addTask { await self.followManifests() }
            group.addTask { await self.giveMemoryBack() }
        }
        await plane.stop()
    }

    private func giveMemoryBack() async {
        var freed = FreedMemory()
        let types = Set(ResourceType.allCases)
        while (try? await Task.sleep(for: .seconds(FreedMemory.interval))) != nil {
            guard freed.isDue(isSettled: isSettled, revision: store.lastChange(of: types)) else { continue }
            FreedMemory.giveBack()
        }
    }

    /// Returns once the manifests have been read and applied for the first time.
    package func manifestsWereRead() async { await manifestsRead.pass() }

    /// Whether everything that follows from the store's present state is done, the data plane included.
    package var isSettled: Bool {
        controlPlane.isSettled && routed.withLock { $0 } >= store.lastChange(of: RouteFollower.types)
            && dns.withLock { $0.isSettled }
    }

    /// What does not work now, in sentences.
    package var problems: [String] { board.all }

    /// The cluster IP of the API.
    package var apiAddress: IPAddress? { BuiltInObjects.apiAddress(configuration.networks) }

    /// Says where the API listens.
    package func setAPIEndpoint(_ address: IPAddress, port: UInt16) throws(APIError) {
        try BuiltInObjects.setAPIEndpoint(address, port: port, in: store)
    }

    /// Replaces what `source` said does not work.
    package func setProblems(_ source: String, _ problems: [String]) { report(source, problems) }

    /// Where a browser on this machine finds the LoadBalancer Services.
    package var localURLs: [String] {
        guard let address = configuration.publishAddress else { return [] }
        let host = address.description == "127.0.0.1" ? "localhost" : address.description
        return store.list(.services).items.map(Service.init).filter { $0.type == .loadBalancer }.flatMap { service in
            service.ports.filter { $0.proto == .tcp }.map { port in
                let isSecure = port.port == 443 || port.name == "https" || port.appProtocol == "https"
                return "\(isSecure ? "https" : "http")://\(host):\(RoutingOptions.publishedPort(for: port.port))"
            }
        }
    }

    /// The processes of pods ended with the run that started them.
    ///
    /// Pods of played nodes that are no longer there get another one.
    private static func withoutTraces(_ objects: [KubeObject], nodes: [PlayedNode]) -> [KubeObject] {
        guard let first = nodes.first?.name else { return objects }
        let names = Set(nodes.map(\.name))
        return objects.map { object in
            guard object.type == .pods else { return object }
            var pod = object
            pod.json["status"] = nil
            if let node = pod.json["spec"]?["nodeName"]?.stringValue, node.hasPrefix("\(first)-"), !names.contains(node)
            {
                pod.json["spec"]?["nodeName"] = nil
            }
            return pod
        }
    }

    // MARK: Parts

    private func route(_ plane: any DataPlane, _ status: ProxyStatus) async {
        let nodes = configuration.nodes
        var options = RoutingOptions(
            nodeName: configuration.nodeName, zone: nodes.first?.zone, nodeAddresses: [configuration.nodeAddress],
            nodePortAddresses: [configuration.nodeAddress] + (configuration.publishAddress.map { [$0] } ?? []),
            podRanges: configuration.networks.podRanges, publishAddress: configuration.publishAddress)
        options.exemptAddresses = dnsExemption
        options.otherNodes = nodes.dropFirst().map {
            RoutingNode(name: $0.name, zone: $0.zone, addresses: [$0.address], podRanges: [$0.podRange])
        }
        var follower = RouteFollower(plane, options: options)
        var isFull = true
        let checks = HealthCheckServers(addresses: Set(options.nodePortAddresses).sorted()) { status.isHealthy }
        while !Task.isCancelled {
            guard let stream = try? store.watch(RouteFollower.types) else { continue }
            let batches = WatchBatches(stream).makeAsyncIterator()
            while let batch = await batches.next() {
                await status.measure(batch, isFull: isFull) {
                    report("data plane", await follower.handle(batch))
                    return follower.problems
                }
                isFull = false
                status.setNoLocalEndpoints(follower.noLocalEndpoints)
                noteHealthChecks(await checks.set(follower.healthChecks))
                if let last = batch.last?.revision { routed.withLock { $0 = last } }
                onChange()
            }
            if !Task.isCancelled {
                logger.notice("the data plane fell behind the store and reads it again")
                follower = RouteFollower(plane, options: options)
                isFull = true
            }
        }
        await checks.stop()
    }

    private func followManifests() async {
        defer { manifestsRead.open() }
        guard let path = configuration.manifests else { return }
        let folder = ManifestFolder(path)
        var applier = ManifestApplier(store)
        var known: [String: [String]]?
        // So that there is a first look, whatever is there.
        var isIncomplete = true
        while !Task.isCancelled {
            let seen = folder.fingerprint()
            if seen != known || isIncomplete {
                do throws(ManifestError) {
                    isIncomplete = try apply(folder, &applier)
                    known = seen
                } catch {
                    report("manifests", ["\(error)"])
                    isIncomplete = false
                    known = nil
                }
                manifestsRead.open()
            }
            // A pod that is being replaced makes room within moments.
            try? await Task.sleep(for: isIncomplete ? .milliseconds(100) : .milliseconds(500))
        }
    }

    /// Says whether something has to wait for another thing to end.
    private func apply(_ folder: ManifestFolder, _ applier: inout ManifestApplier) throws(ManifestError) -> Bool {
        let result = applier.apply(try folder.read())
        report("manifests", result.problems)
        for warning in result.warnings { logger.notice("\(warning)") }
        return result.isIncomplete
    }

    /// - Returns: those problems that `source` did not have before.
    @discardableResult
    func report(_ source: String, _ problems: [String]) -> [String] {
        let (new, isChanged) = board.set(source, problems)
        for problem in new { logger.warning("\(problem)") }
        if isChanged { onChange() }
        return new
    }
}
