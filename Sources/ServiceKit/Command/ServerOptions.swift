package import ArgumentParser
package import Logging

/// The options that all services share.
package struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The address to listen on; :: is all addresses, IPv4 too.", valueName: "address"))
    package var bindAddress = "::"

    @Option(help: ArgumentHelp("The port for HTTP; 0 takes a free one.", valueName: "port"))
    package var httpPort: UInt16 = 8080

    @Option(help: ArgumentHelp("The port for HTTPS (default: 8443 when there is a certificate).", valueName: "port"))
    package var httpsPort: UInt16?

    @Option(help: ArgumentHelp("The certificate chain, PEM; read again when it changes.", valueName: "file"))
    package var tlsCert: String?

    @Option(help: ArgumentHelp("The private key of --tls-cert, PEM.", valueName: "file"))
    package var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "The folder of a local certificate authority (ca.crt, ca.key; made when missing) for a certificate of our own.",
            valueName: "folder"))
    package var tlsCaDir: String?

    @Option(
        help: ArgumentHelp("Further names for the certificate of our own, separated by commas.", valueName: "names"))
    package var tlsNames: String?

    @Option(help: "The access log on standard output: text, json or off.")
    package var accessLog = AccessLog.Format.text

    @Option(help: "How much to log on standard error: trace, debug, info, notice, warning, error, critical.")
    package var logLevel = LogLevel.notice

    @Option(help: "The form of the log: text or json.")
    package var logFormat = LogFormat.text

    @Option(help: ArgumentHelp("Seconds between turning unready and closing, at a stop.", valueName: "seconds"))
    package var drainSeconds = 1

    @Option(help: ArgumentHelp("Seconds after which an idle client is disconnected.", valueName: "seconds"))
    package var idleSeconds = 60

    @Option(help: ArgumentHelp("Connections that are open at most.", valueName: "number"))
    package var maxConnections = 4096

    package init() {}

    package mutating func validate() throws {
        if (tlsCert == nil) != (tlsKey == nil) { throw ValidationError("--tls-cert and --tls-key belong together") }
        if tlsCert != nil, tlsCaDir != nil { throw ValidationError("--tls-cert and --tls-ca-dir exclude each other") }
        try Self.check("drain-seconds", drainSeconds, 0...3600)
        try Self.check("idle-seconds", idleSeconds, 1...86400)
        try Self.check("max-connections", maxConnections, 1...1_000_000)
    }

    /// Refuses a value outside of its range, in words that name both.
    package static func check(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws {
        guard range.contains(value) else {
            throw ValidationError("--\(option) \(value): must be between \(range.lowerBound) and \(range.upperBound)")
        }
    }

    /// Their names, for ``EnvironmentArguments``.
    package static let names = [
        "bind-address", "http-port", "https-port", "tls-cert", "tls-key", "tls-ca-dir", "tls-names", "access-log",
        "log-level", "log-format", "drain-seconds", "idle-seconds", "max-connections",
    ]
}

/// The form of log messages.
package enum LogFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    case text
    case json
}

extension AccessLog.Format: ExpressibleByArgument {}

/// How much is logged, by swift-log's names.
package enum LogLevel: String, Sendable, CaseIterable, ExpressibleByArgument {
    case trace
    case debug
    case info
    case notice
    case warning
    case error
    case critical

    package var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .notice }
}
