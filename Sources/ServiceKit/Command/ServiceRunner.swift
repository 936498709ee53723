import FoundationEssentials
import Glibc
import HTTPConnections
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import HummingbirdTLS
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Runs a service from the parsed command line to its orderly end.
struct ServiceRunner<Command: ServiceCommand> {
    private let command: Command
    private let options: ServerOptions
    private let environment: [String: String]
    private let logger: Logger

    init(_ command: Command) {
        self.command = command
        options = command.server
        environment = ProcessInfo.processInfo.environment
        let (level, isJSON) = (options.logLevel.level, options.logFormat == .json)
        logger = Logger(label: Command.program) { LineLogHandler(label: $0, level: level, isJSON: isJSON) }
    }

    func run() async throws {
        let identity = PodIdentity(environment: environment)
        let metrics = ServiceMetrics(program: Command.program)
        let certificate = try certificateSource(identity)
        let assembly = try await command.assemble(
            ServiceContext(environment: environment, identity: identity, logger: logger, metrics: metrics))
        let readiness = Readiness()
        StandardEndpoints(
            program: Command.program, readyText: assembly.readyText, readiness: readiness, metrics: metrics,
            check: assembly.check
        ).add(to: assembly.router)
        let responder = ServiceResponder(
            assembly.router, podName: identity.podName, metrics: metrics, accessLog: AccessLog(options.accessLog),
            lasting: assembly.lasting, direct: assembly.direct)

        var services: [any Service] = []
        let connections = HTTPConnectionSetup(
            responder, .services(idleTimeout: .seconds(Int64(options.idleSeconds))))
        services.append(server(responder, HTTPServerBuilder { _ in connections }, "http", options.httpPort))
        if let certificate {
            let builder = try HTTPServerBuilder.http2Upgrade(
                tlsConfiguration: certificate.serverConfiguration(),
                configuration: HTTP2UpgradeChannel.Configuration(
                    idleTimeout: .seconds(options.idleSeconds), gracefulCloseTimeout: .seconds(5),
                    streamConfiguration: httpConfiguration))
            services.append(server(responder, builder, "https", options.httpsPort ?? 8443))
        }
        // Services are stopped in reverse order: first the drain, then what the service runs beside, then the servers.
        services += assembly.services
        services.append(DrainService(readiness: readiness, time: .seconds(options.drainSeconds)))
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quietLogger)
        configuration.maximumGracefulShutdownDuration = .seconds(options.drainSeconds + 20)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as IOError {
            throw StartFailure(reason(error))
        }
    }

    /// Frameworks report every start and stop as info, and each failed start as an error besides ours.
    private var quietLogger: Logger {
        var quiet = logger
        quiet.logLevel = max(.critical, logger.logLevel)
        return options.logLevel.level <= .debug ? logger : quiet
    }

    private var httpConfiguration: HTTP1Channel.Configuration {
        let limits = HTTPConnectionSettings.serviceLimits
        return HTTP1Channel.Configuration(
            idleTimeout: .seconds(Int64(options.idleSeconds)),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.maxHeaderFieldSize, maxHeaderListSize: limits.maxHeaderListSize,
                maxHeaderFieldCount: limits.maxHeaderFieldCount))
    }

    private func server(
        _ responder: ServiceResponder, _ builder: HTTPServerBuilder, _ scheme: String, _ port: UInt16
    ) -> any Service {
        let program = Command.program
        let address = bindAddress
        return Application(
            responder: responder, server: builder,
            configuration: ApplicationConfiguration(
                address: .hostname(address, port: Int(port)), backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(options.maxConnections, logger: logger)),
            onServerRunning: { channel in
                let bound = channel.localAddress?.port ?? Int(port)
                let host = address.contains(":") ? "[\(address)]" : address
                StandardStream.output.write("\(program) \(SuiteVersion.text) listens on \(scheme)://\(host):\(bound)\n")
            },
            logger: quietLogger)
    }

    /// `::`, or 0.0.0.0 where no interface has an IPv6 address: there the C library refuses to look `::` up.
    private var bindAddress: String {
        guard options.bindAddress == "::" else { return options.bindAddress }
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo("::", nil, nil, &found) == 0 else { return "0.0.0.0" }
        freeaddrinfo(found)
        return "::"
    }

    private func reason(_ error: IOError) -> String {
        let place =
            "\(options.bindAddress), port \(options.httpPort)"
            + (options.httpsPort.map { " or \($0)" } ?? "")
        let remedy =
            switch error.errnoCode {
            case EADDRINUSE: "Choose another port with --http-port or --https-port."
            case EACCES:
                "Ports below 1024 need root, CAP_NET_BIND_SERVICE, or sysctl net.ipv4.ip_unprivileged_port_start=80."
            case EADDRNOTAVAIL: "This machine does not have the address; choose another with --bind-address."
            default: ""
            }
        return "cannot listen on \(place): \(String(cString: strerror(error.errnoCode))). \(remedy)"
    }

    // MARK: TLS

    private func certificateSource(_ identity: PodIdentity) throws -> CertificateSource? {
        do {
            if let certificate = options.tlsCert, let key = options.tlsKey {
                return try CertificateSource(certificate: certificate, key: key, logger: logger)
            }
            guard let folder = options.tlsCaDir ?? (Command.isAlwaysSecure ? ".kiada" : nil) else {
                if options.httpsPort != nil {
                    throw StartFailure("--https-port needs a certificate: --tls-cert and --tls-key, or --tls-ca-dir")
                }
                return nil
            }
            let authority = try LocalCertificateAuthority.loadOrCreate(directory: folder)
            let further = (options.tlsNames ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
            let namespace = environment["POD_NAMESPACE"] ?? "kiada"
            let service = Command.program
            let names = [
                "localhost", service, "\(service).\(namespace)", "\(service).\(namespace).svc",
                "\(service).\(namespace).svc.cluster.local", identity.podName, identity.hostname,
            ]
            var seen: Set<String> = []
            return try CertificateSource(
                authority: authority, names: (names + further).filter { seen.insert($0).inserted },
                addresses: addresses(identity), logger: logger)
        } catch let failure as StartFailure {
            throw failure
        } catch {
            throw StartFailure("the certificate cannot be used: \(error)")
        }
    }

    private func addresses(_ identity: PodIdentity) -> [[UInt8]] {
        var found: [[UInt8]] = [[127, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]]
        for text in [identity.podIP, options.bindAddress] {
            let (family, count) = text.contains(":") ? (AF_INET6, 16) : (AF_INET, 4)
            var octets = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &octets) == 1, octets.contains(where: { $0 != 0 }) { found.append(octets) }
        }
        return found
    }
}

/// Turns the program unready as the first thing of an orderly stop, and gives clients time to notice.
struct DrainService: Service {
    let readiness: Readiness
    let time: Duration

    func run() async throws {
        try? await gracefulShutdown()
        readiness.drain()
        try? await Task.sleep(for: time)
    }
}
