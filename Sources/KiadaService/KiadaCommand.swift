package import ArgumentParser
import Hummingbird
import Logging
import NIOSSL
import ServiceDiscovery
package import ServiceKit
import ServiceLifecycle

/// The command line of `kiada`.
package struct KiadaCommand: ServiceCommand {
    package static let program = "kiada"
    package static let isAlwaysSecure = true
    package static let ownArguments = EnvironmentArguments(
        options: [
            "quote-url", "quiz-url", "resolv-conf", "upstream-ca", "upstream-timeout-ms", "initial-status-message",
        ],
        flags: ["upstream-keep-alive"])

    package static let configuration = CommandConfiguration(
        commandName: program,
        abstract: "The front end: a tip, a pop quiz, and which pods answered; text for terminals, a page for browsers.",
        discussion: """
            Every option can also be set by an environment variable: --http-port by HTTP_PORT. kiada finds quote and quiz
            by --quote-url and --quiz-url, else by QUOTE_SERVICE_HOST and QUIZ_SERVICE_HOST, else by DNS. A line on
            standard input becomes the status message.

            EXAMPLES
              kiada
              kiada --quote-url http://quote/quote --quiz-url http://quiz
              kiada --tls-cert server.pem --tls-key key.pem --upstream-keep-alive

            PATHS
              /  /text  /html  /question/{id}/answers/{index}  /proxy/quote  /proxy/quiz/questions/...  /discovery
              /healthz/ready  /healthz/live  /version  /metrics
            """,
        version: "\(program) \(SuiteVersion.text)", subcommands: [HealthcheckCommand.self])

    @OptionGroup package var server: ServerOptions

    @Option(help: ArgumentHelp("The URL of the quote itself, such as http://quote/quote.", valueName: "url"))
    var quoteUrl: String?

    @Option(help: ArgumentHelp("The URL of the quiz, such as http://quiz.", valueName: "url"))
    var quizUrl: String?

    @Option(help: ArgumentHelp("The name servers and search list (default: /etc/resolv.conf).", valueName: "file"))
    var resolvConf: String?

    @Option(
        help: ArgumentHelp("Whom to trust for https URLs, PEM (default: the system's authorities).", valueName: "file"))
    var upstreamCa: String?

    @Option(help: ArgumentHelp("The time for finding and asking a dependency.", valueName: "milliseconds"))
    var upstreamTimeoutMs = 2000

    @Flag(help: "Use connections to quote and quiz again. Without it each request is balanced anew.")
    var upstreamKeepAlive = false

    @Option(help: ArgumentHelp("The line below the request information.", valueName: "text"))
    var initialStatusMessage = ""

    package init() {}

    package mutating func validate() throws {
        try ServerOptions.check("upstream-timeout-ms", upstreamTimeoutMs, 1...60000)
        for (option, text) in [("quote-url", quoteUrl), ("quiz-url", quizUrl)] {
            guard let text, !text.isEmpty else { continue }
            do {
                _ = try ServiceURL(text)
            } catch {
                throw ValidationError("--\(option) \(text): \(error)")
            }
        }
    }

    package func assemble(_ context: ServiceContext) async throws -> ServiceAssembly {
        let client = HTTPUpstreamClient(keepsAlive: upstreamKeepAlive, tls: try trust())
        let status = StatusMessage(initialStatusMessage)
        let routes = try KiadaRoutes(
            quote: dependency("quote", quoteUrl, client, context),
            quiz: dependency("quiz", quizUrl, client, context), identity: context.identity, status: status)
        let router = ServiceRouter(context: ServiceRequestContext.self)
        routes.add(to: router)
        let input = StandardInputLines { line in status.change(to: line) }
        return ServiceAssembly(router: router, services: [input], readyText: "Ready", direct: routes.direct)
    }

    private func trust() throws -> NIOSSLContext {
        do {
            return try HTTPUpstreamClient.trust(authorities: upstreamCa)
        } catch {
            throw StartFailure("--upstream-ca \(upstreamCa ?? ""): \(error)")
        }
    }

    private func dependency(
        _ name: String, _ url: String?, _ client: HTTPUpstreamClient, _ context: ServiceContext
    ) -> Dependency {
        var environment = context.environment
        environment["RESOLV_CONF"] = resolvConf
        let requests = { @Sendable [metrics = context.metrics] (outcome: String) in
            metrics.counter(
                "kiada_upstream_requests_total", help: "Requests to quote and quiz, by how they ended.",
                labels: ["service": name, "outcome": outcome])
        }
        let successes = requests("ok")
        let host = url.flatMap { try? ServiceURL($0) }?.host
        return Dependency(
            name: name, host: host,
            locator: ServiceDiscovery(name: name, explicitURL: url, environment: environment), client: client,
            limit: .milliseconds(upstreamTimeoutMs),
            observe: { error in
                if let error { requests(error.outcome).increment() } else { successes.increment() }
            })
    }
}

extension UpstreamError {
    /// One word for metrics.
    fileprivate var outcome: String {
        switch self {
        case .unknownHost, .lookupTimedOut: "not_found"
        case .undiallable, .connect: "refused"
        case .timedOut: "timeout"
        case .reset, .closedEarly: "broken"
        case .tooLarge, .invalidResponse: "invalid"
        case .status: "status"
        case .insecure: "tls"
        }
    }
}
