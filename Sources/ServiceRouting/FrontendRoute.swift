package import NetTypes

/// All that a plane must know to serve one frontend.
package struct FrontendRoute: Hashable, Sendable {
    package let frontend: Frontend
    package let kind: FrontendKind
    package let port: ServicePortID
    /// For clients of other machines; for cluster IPs, for everybody.
    package let outside: Verdict
    /// For pods and the node itself, to whom external addresses obey no Local policy (7.5).
    package let inside: Verdict
    /// How long a client stays with its endpoint after its last new connection; nil without affinity (7.7).
    package let affinity: Duration?
    /// Clients that may come in; nil for all (7.9).
    package let allowedSources: [CIDR]?
    /// The addresses of pods and of the node; only read where `inside` differs from `outside`.
    package let insideSources: [CIDR]
    /// For clients on other nodes that are played here, where those have another verdict than ``outside``.
    package let byNode: [NodeVerdict]
    /// Every endpoint that serves, chosen or not: UDP flows to others have to move (7.11).
    package let serving: [SocketEndpoint]

    package init(
        frontend: Frontend, kind: FrontendKind, port: ServicePortID, outside: Verdict, inside: Verdict? = nil,
        affinity: Duration? = nil, allowedSources: [CIDR]? = nil, insideSources: [CIDR] = [],
        serving: [SocketEndpoint]? = nil, byNode: [NodeVerdict] = []
    ) {
        self.byNode = byNode
        self.frontend = frontend
        self.kind = kind
        self.port = port
        self.outside = outside
        self.inside = inside ?? outside
        self.affinity = affinity
        self.allowedSources = allowedSources
        self.insideSources = insideSources
        self.serving = serving ?? outside.endpoints.map(\.address)
    }

    /// What happens to a new connection from `client`.
    package func verdict(for client: IPAddress) -> Verdict {
        if let allowedSources, !allowedSources.contains(where: { $0.contains(client) }) { return .drop }
        for node in byNode where node.sources.contains(where: { $0.contains(client) }) { return node.verdict }
        guard inside != outside else { return outside }
        return insideSources.contains { $0.contains(client) } ? inside : outside
    }

    /// The same for every client: a plane need not look at the source.
    package var ignoresSource: Bool { allowedSources == nil && inside == outside && byNode.isEmpty }

    /// What may happen to a new connection, whoever the client is; some may be equal.
    package var verdicts: [Verdict] { [outside, inside] + byNode.map(\.verdict) }

    /// Every endpoint that a new connection may be sent to, whoever the client is.
    package var reachable: Set<SocketEndpoint> {
        Set(verdicts.flatMap(\.endpoints).map(\.address))
    }
}

/// What happens to clients on one node.
package struct NodeVerdict: Hashable, Sendable {
    /// The node's addresses and those of its pods.
    package let sources: [CIDR]
    package let verdict: Verdict

    package init(sources: [CIDR], verdict: Verdict) {
        self.sources = sources
        self.verdict = verdict
    }
}
