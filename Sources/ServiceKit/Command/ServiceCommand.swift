package import ArgumentParser
package import Logging
package import ServiceLifecycle

/// The command line of one of the suite's services, and how the service is put together from it.
package protocol ServiceCommand: AsyncParsableCommand {
    /// `quote`: the name of the program.
    static var program: String { get }
    /// The options besides ``ServerOptions``, for the environment.
    static var ownArguments: EnvironmentArguments { get }
    /// Makes a certificate of its own where none is named and no folder for an authority is given either.
    static var isAlwaysSecure: Bool { get }

    var server: ServerOptions { get }

    /// Puts the service together; nothing listens yet.
    ///
    /// - Throws: what cannot work, in words for the user.
    func assemble(_ context: ServiceContext) async throws -> ServiceAssembly
}

extension ServiceCommand {
    package static var isAlwaysSecure: Bool { false }

    /// The options of the whole program, for the environment.
    package static var environmentArguments: EnvironmentArguments {
        EnvironmentArguments(options: ServerOptions.names + ownArguments.options, flags: ownArguments.flags)
    }

    package mutating func run() async throws {
        try await ServiceRunner(self).run()
    }
}

/// What a service gets to be put together with.
package struct ServiceContext: Sendable {
    package let environment: [String: String]
    package let identity: PodIdentity
    package let logger: Logger
    package let metrics: ServiceMetrics

    package init(environment: [String: String], identity: PodIdentity, logger: Logger, metrics: ServiceMetrics) {
        self.environment = environment
        self.identity = identity
        self.logger = logger
        self.metrics = metrics
    }
}

/// A service that is put together: its routes, what runs beside them, and how it knows that it can work.
package struct ServiceAssembly {
    package let router: ServiceRouter
    /// Run beside the servers; they are stopped after these.
    package let services: [any Service]
    package let readyText: String
    package let check: ReadinessCheck
    package let lasting: LastingAnswers?
    package let direct: [DirectRoute]

    /// - Parameters:
    ///   - lasting: the answers that may be given again as they are; nil when each is made afresh.
    ///   - direct: routes of `router` that can do without it.
    package init(
        router: ServiceRouter, services: [any Service] = [], readyText: String,
        check: @escaping ReadinessCheck = {}, lasting: LastingAnswers? = nil, direct: [DirectRoute] = []
    ) {
        self.router = router
        self.services = services
        self.readyText = readyText
        self.check = check
        self.lasting = lasting
        self.direct = direct
    }
}

/// A failure at the start, in words for the user; the program ends with exit code 1.
package struct StartFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
