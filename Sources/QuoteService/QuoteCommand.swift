package import ArgumentParser
import Hummingbird
package import ServiceKit

/// The command line of `quote`.
package struct QuoteCommand: ServiceCommand {
    package static let program = "quote"
    package static let ownArguments = EnvironmentArguments(options: ["quotes-file", "interval", "site"])

    package static let configuration = CommandConfiguration(
        commandName: program,
        abstract: "Serves a tip about Kubernetes Services, another one each minute.",
        discussion: """
            Every option can also be set by an environment variable: --http-port by HTTP_PORT.

            EXAMPLES
              quote                                        listen on port 8080 of all addresses
              quote --http-port 80 --interval 10
              quote --quotes-file /usr/share/games/fortunes/computers

            PATHS
              /  /quote  /healthz/ready  /healthz/live  /version  /metrics
            """,
        version: "\(program) \(SuiteVersion.text)", subcommands: [HealthcheckCommand.self])

    @OptionGroup package var server: ServerOptions

    @Option(help: ArgumentHelp("Quotes in fortune format; read again when it changes.", valueName: "file"))
    var quotesFile: String?

    @Option(help: ArgumentHelp("How long each quote is shown.", valueName: "seconds"))
    var interval = 60

    @Option(
        help: ArgumentHelp(
            "Serves index.html as / and the file quote as /quote from here, both as they are now; the quotes are then "
                + "written by somebody else.", valueName: "folder"))
    var site: String?

    package init() {}

    package mutating func validate() throws { try ServerOptions.check("interval", interval, 1...86400) }

    package func assemble(_ context: ServiceContext) async throws -> ServiceAssembly {
        let board: QuoteBoard
        do {
            board = try QuoteBoard(path: quotesFile, interval: interval, logger: context.logger)
        } catch {
            throw StartFailure("\(error)")
        }
        let router = ServiceRouter(context: ServiceRequestContext.self)
        var lasting: LastingAnswers?
        if let site {
            SiteRoutes(folder: site).add(to: router)
        } else {
            let routes = QuoteRoutes(board: board, podName: context.identity.podName)
            routes.add(to: router)
            lasting = routes.lasting
        }
        return ServiceAssembly(router: router, services: [board], readyText: "OK", lasting: lasting)
    }
}
