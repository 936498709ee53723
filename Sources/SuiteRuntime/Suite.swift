import ClusterAPI
import ClusterModel
import ClusterStore
import ControlPlane
import FoundationEssentials
import Glibc
import Logging
import Manifests
import NetTypes
package import PodRuntime
import ServiceKit
import ServiceLifecycle
import ServiceProxy
import Synchronization

/// A running suite: the service proxy, the pods, and the report of both.
package final class Suite: Sendable {
    let configuration: SuiteConfiguration
    let proxyConfiguration: ServiceProxyConfiguration
    let authority: LocalCertificateAuthority
    let logger: Logger
    /// The API listens, or cannot.
    private let isAPIDecided = Flag()
    /// Containers find their variables.
    let areFilesShared = Flag()
    let proxy: ServiceProxy
    private let runtime: PodRuntime
    private let isStopping = Flag()
    let bell = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// Prepares everything that can fail at once: manifests, image map, certificate authority, rights.
    ///
    /// - Throws: ``SuiteError`` that says what is wrong and what to do.
    package init(_ configuration: SuiteConfiguration) throws(SuiteError) {
        self.configuration = configuration
        let directory = configuration.directory
        let level = configuration.logLevel
        var logger = Logger(label: "kiada-suite") { LineLogHandler(label: $0, level: level, isJSON: false) }
        logger.logLevel = configuration.logLevel
        self.logger = logger
        if let problem = PrivilegedPorts.problem() { throw SuiteError(problem) }
        let images = try Self.imageMap(configuration)
        do {
            authority = try LocalCertificateAuthority.loadOrCreate(directory: directory.path)
        } catch {
            throw SuiteError("cannot make the certificate authority in \(directory.path): \(error)")
        }
        guard FileManager.default.fileExists(atPath: configuration.manifests) else {
            throw SuiteError(
                "there are no manifests at \(configuration.manifests); name a folder or file with --manifests")
        }
        var proxyConfiguration = ServiceProxyConfiguration(
            nodeName: configuration.nodeName, manifests: configuration.manifests)
        if let block = configuration.addressBlock { proxyConfiguration.use(block: block) }
        if let plan = configuration.addresses { plan.apply(to: &proxyConfiguration) }
        proxyConfiguration.setClusterDomain(configuration.clusterDomain)
        proxyConfiguration.storeFile = directory.storeFile
        proxyConfiguration.publishAddress = configuration.publishAddress
        proxyConfiguration.dataPlane = configuration.dataPlane
        proxyConfiguration.userspace = configuration.userspace
        proxyConfiguration.socketControlGroup = configuration.socketControlGroup
        proxyConfiguration.healthPort = configuration.healthPort
        proxyConfiguration.dnsTTL = configuration.dnsTTL
        proxyConfiguration.logsQueries = configuration.logsQueries
        proxyConfiguration.nodeCount = configuration.nodeCount
        let nodes = proxyConfiguration.nodes
        if configuration.nodeCount > 1, configuration.pods != .processes || nodes.count != configuration.nodeCount {
            throw SuiteError("more than one node needs pods that run here, and IPv4 addresses: leave out --nodes")
        }
        self.proxyConfiguration = proxyConfiguration
        do {
            let bell = bell.continuation
            proxy = try ServiceProxy(proxyConfiguration, logger: logger) { bell.yield() }
        } catch {
            throw SuiteError("\(error)")
        }
        let store = proxy.store
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var podConfiguration = PodRuntimeConfiguration(
            nodeName: configuration.nodeName, hostIP: proxyConfiguration.nodeAddress, stateDirectory: directory.path,
            podRange: nodes[0].podRange, images: images,
            programDirectory: String(program[..<(program.lastIndex(of: "/") ?? program.startIndex)]),
            searchPath: ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
            hasNamespaces: geteuid() == 0,
            serviceVariables: { namespace, links in
                ServiceEnvironment.variables(
                    for: store.list(.services).items.map(Service.init), namespace: namespace, enableServiceLinks: links)
            },
            resolvConf: { [proxy] in proxy.resolvConf(for: $0) })
        podConfiguration.otherNodes = nodes.dropFirst().map {
            PodNode(name: $0.name, hostIP: $0.address, podRange: $0.podRange)
        }
        podConfiguration.clusterDomain = configuration.clusterDomain
        podConfiguration.settings = { namespace, settings in PodSettings.content(settings, namespace, in: store) }
        if configuration.pods != .processes { podConfiguration.mode = .observed(addresses: Self.addresses) }
        runtime = PodRuntime(
            podConfiguration,
            observer: StoreObserver(
                store: store, logger: logger,
                events: proxy.events,
                isStopping: { [isStopping] in isStopping.isRaised }),
            logger: logger)
    }

    private static func imageMap(_ configuration: SuiteConfiguration) throws(SuiteError) -> ImageMap {
        let file = configuration.images ?? "\(configuration.manifests)/local/images.yaml"
        if configuration.images == nil, !FileManager.default.fileExists(atPath: file) { return .bundled }
        do {
            return try ImageMap(try ManifestParser.parsePlain(try ManifestFolder.text(of: file), file: file))
        } catch let error as ImageMapError {
            throw SuiteError("\(file): \(error)")
        } catch {
            throw SuiteError("\(error)")
        }
    }

    /// Ends the pods in order, then the rest; called again, at once.
    package func stop() {
        let isSecond = isStopping.raise()
        runtime.stop(grace: isSecond ? .zero : .seconds(30))
    }

    /// Runs until ``stop()`` is done.
    ///
    /// - Parameter onReport: called with each new report, the first time once the manifests have been read.
    package func run(onReport: @escaping @Sendable (StatusReport) -> Void) async throws {
        do { try proxy.startDataPlane() } catch { throw SuiteError("\(error)") }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { [runtime] in
                await runtime.run()
                return true
            }
            group.addTask { [proxy] in
                try await proxy.run()
                return false
            }
            group.addTask { [self] in
                await runAPI()
                return false
            }
            group.addTask { [self] in
                await publishRootCertificate()
                return false
            }
            group.addTask { [self] in
                await followContainers()
                return false
            }
            group.addTask { [self] in
                await shareFiles()
                return false
            }
            group.addTask { [self] in
                await followPods { bell.continuation.yield() }
                return false
            }
            group.addTask { [self] in
                await proxy.manifestsWereRead()
                bell.continuation.yield()
                let clock = ContinuousClock()
                for await _ in bell.stream {
                    let start = clock.now
                    let current = report()
                    onReport(current)
                    // A report costs in proportion to all there is; once all is well, changes are told in bunches.
                    guard current.state == .ready || current.state == .degraded else { continue }
                    try? await Task.sleep(for: min(max(.milliseconds(100), (clock.now - start) * 60), .seconds(2)))
                }
                return false
            }
            // The pods' end is the suite's end.
            while let isEnd = try await group.next(), !isEnd {}
            group.cancelAll()
        }
    }

    /// What runs now.
    package func report() -> StatusReport {
        let store = proxy.store
        let services = store.list(.services).items.map(Service.init)
        let slices = store.list(.endpointslices).items.map(EndpointSlice.init)
        var ready: [String: Int] = [:]
        for slice in slices {
            guard let service = slice.serviceName else { continue }
            ready["\(slice.namespace)/\(service)", default: 0] += slice.endpoints.count(where: \.isReady)
        }
        let pods = store.list(.pods).items.map(Pod.init).filter { !$0.isMirror }.map { StatusReport.PodRow($0) }
        let problems = proxy.problems
        let state: StatusReport.State
        if isStopping.isRaised {
            state = .stopping
        } else if !arePodsReady(pods) || !proxy.isSettled || !isAPIDecided.isRaised || !areFilesShared.isRaised {
            state = .starting
        } else {
            state = problems.isEmpty ? .ready : .degraded
        }
        return StatusReport(
            state: state, pid: getpid(), node: configuration.nodeName, urls: proxy.localURLs,
            services: services.map {
                StatusReport.ServiceRow($0, readyEndpoints: ready["\($0.namespace)/\($0.name)"] ?? 0)
            },
            pods: pods, problems: problems, dataPlane: proxy.dataPlaneExplanation)
    }

    /// Whoever has no API needs no certificate for it.
    private func publishRootCertificate() async {
        guard configuration.apiPort != nil, let certificate = try? authority.certificatePEM else { return }
        await RootCertificatePublisher(store: proxy.store, certificatePEM: certificate, logger: logger).run()
    }

    /// Serves the API until the task is cancelled; a port that is taken does not stop the rest.
    private func runAPI() async {
        defer {
            _ = isAPIDecided.raise()
            bell.continuation.yield()
        }
        guard let port = configuration.apiPort else { return }
        // With addresses of its own the suite leaves 127.0.0.1 alone.
        let isUsual = configuration.addressBlock == nil && configuration.addresses == nil
        let address: IPAddress =
            isUsual ? .v4(IPv4Address(bits: 0x7F00_0001)) : proxyConfiguration.nodeAddress
        let server = "\(SocketEndpoint(address: address, port: port))"
        do {
            let access = ClusterAccess(authority, configuration.directory)
            let tls = try access.serverConfiguration(
                addresses: Self.loopback + [address] + (proxy.apiAddress.map { [$0] } ?? []), logger: logger)
            let responder = APIResponder(
                store: proxy.store, logs: PodLogFiles(configuration.directory), server: server, logger: logger,
                now: proxyConfiguration.unixSeconds)
            try access.writeKubeconfig(server: "https://\(server)")
            try proxy.setAPIEndpoint(address, port: port)
            try await APIServer.run(
                responder, sessions: RuntimeSessions(runtime), address: address.description, port: Int(port), tls: tls
            ) { [self] _ in
                _ = isAPIDecided.raise()
                bell.continuation.yield()
            }
        } catch is CancellationError {
            return
        } catch {
            guard !isStopping.isRaised else { return }
            proxy.setProblems(
                "api", ["the Kubernetes API cannot listen on \(server): \(error). Choose another --api-port."])
        }
    }

    /// Ends a pod once no new connection goes to it any more.
    ///
    /// A cluster tells both at the same time and leaves it to chance who is first; here the data plane is, unless it takes
    /// longer than a second.
    private func end(_ pod: Pod) async {
        let clock = ContinuousClock()
        let limit = clock.now + .seconds(1)
        while !proxy.isSettled, clock.now < limit { try? await clock.sleep(for: .milliseconds(2)) }
        runtime.set(pod)
    }

    /// Tells the runtime about pods and what their volumes are made of, and `onChange` about every change.
    private func followPods(onChange: @Sendable () -> Void) async {
        var known: Set<ObjectKey> = []
        while !Task.isCancelled {
            guard let stream = try? proxy.store.watch([.pods, .configmaps, .secrets]) else { continue }
            let present = Set(proxy.store.list(.pods).items.map(\.key))
            for key in known.subtracting(present) { runtime.remove(key) }
            for await event in stream {
                if let settings = PodSettings.settings(event.object) {
                    runtime.settingsChanged(settings, namespace: event.object.namespace)
                } else if event.kind == .deleted {
                    known.remove(event.object.key)
                    runtime.remove(event.object.key)
                } else {
                    let pod = Pod(event.object)
                    guard !pod.isMirror else { continue }
                    known.insert(event.object.key)
                    if pod.deletionTimestamp == nil {
                        runtime.set(pod)
                    } else {
                        Task { await end(pod) }
                    }
                }
                onChange()
            }
        }
    }
}

/// Goes up once.
final class Flag: Sendable {
    private let state = Mutex(false)

    var isRaised: Bool { state.withLock { $0 } }

    /// - Returns: whether it was up before.
    func raise() -> Bool {
        state.withLock { state in
            defer { state = true }
            return state
        }
    }
}

extension ImageMap {
    /// What holds when there is no file: the three images of the suite, and two to look around with.
    package static let bundled: ImageMap = {
        let common = [(name: "BIND_ADDRESS", value: "$(POD_IP)")]
        let front = common + [("RESOLV_CONF", "$(RESOLV_CONF)"), ("TLS_CA_DIR", "$(STATE_DIR)")]
        return ImageMap([
            "kiada/kiada": Program(program: "kiada", environment: front),
            "kiada/quote": Program(program: "quote", environment: common),
            "kiada/quiz": Program(program: "quiz", environment: common),
            // Without an entry point: what the container names is run, a shell unless it names something.
            "busybox": Program(program: "env", arguments: ["sh"]),
            "alpine": Program(program: "env", arguments: ["sh"]),
        ])
    }()
}
