package import ArgumentParser
import Hummingbird
package import ServiceKit

/// The command line of `quiz`.
package struct QuizCommand: ServiceCommand {
    package static let program = "quiz"
    package static let ownArguments = EnvironmentArguments(
        options: ["data-dir", "database-url", "database-connections"])

    package static let configuration = CommandConfiguration(
        commandName: program,
        abstract: "Serves questions about Kubernetes Services, and keeps the answers.",
        discussion: """
            Every option can also be set by an environment variable: --http-port by HTTP_PORT. Without --database-url the
            answers are kept in an SQLite file, which is for one quiz only.

            EXAMPLES
              quiz --data-dir /var/lib/quiz
              quiz --database-url postgres://quiz:secret@db.example/quiz

            PATHS
              /  /questions  /questions/random  /questions/{id}  /questions/{id}/answers  /questions/{id}/stats
              /healthz/ready  /healthz/live  /version  /metrics
            """,
        version: "\(program) \(SuiteVersion.text)", subcommands: [HealthcheckCommand.self])

    @OptionGroup package var server: ServerOptions

    @Option(help: ArgumentHelp("Where quiz.db is kept.", valueName: "folder"))
    var dataDir = "quiz-data"

    @Option(help: ArgumentHelp("A PostgreSQL database instead: postgres://user:password@host/name.", valueName: "url"))
    var databaseUrl: String?

    @Option(help: ArgumentHelp("Connections to PostgreSQL at most.", valueName: "number"))
    var databaseConnections = 4

    package init() {}

    package mutating func validate() throws {
        try ServerOptions.check("database-connections", databaseConnections, 1...64)
        if let url = databaseUrl, !url.hasPrefix("postgres://"), !url.hasPrefix("postgresql://") {
            throw ValidationError(
                "--database-url: must begin with postgres:// or postgresql://; for SQLite use --data-dir")
        }
    }

    package func assemble(_ context: ServiceContext) async throws -> ServiceAssembly {
        let store: any QuizStore
        if let url = databaseUrl {
            store = PostgresQuizStore(url: url, connections: databaseConnections)
        } else {
            do throws(QuizStoreError) {
                store = try SQLiteQuizStore(folder: dataDir)
            } catch {
                throw StartFailure("\(error). Choose another folder with --data-dir.")
            }
        }
        let database = QuizDatabase(store, logger: context.logger)
        let router = ServiceRouter(context: ServiceRequestContext.self)
        QuizRoutes(store: store, podName: context.identity.podName).add(to: router)
        return ServiceAssembly(
            router: router, services: [database], readyText: "Readiness check successful",
            check: { try await database.check() })
    }
}
