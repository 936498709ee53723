package import NetTypes

/// Some of a Service's endpoints, read once from the JSON object.
package struct EndpointSlice: Sendable, Equatable {
    package struct Port: Hashable, Sendable {
        package let name: String
        package let proto: TransportProtocol
        package let port: UInt16
    }

    package struct Endpoint: Hashable, Sendable {
        package let addresses: [IPAddress]
        /// Absent counts as true (3.3).
        package let isReady: Bool
        package let isServing: Bool
        package let isTerminating: Bool
        package let hostname: String?
        package let nodeName: String?
        package let zone: String?
        package let zoneHints: [String]
        package let nodeHints: [String]
        /// The pod behind the endpoint, if it says so.
        package let targetName: String?
    }

    /// The label that ties a slice to its Service.
    package static let serviceNameLabel = "kubernetes.io/service-name"
    /// The label that says who writes a slice.
    package static let managedByLabel = "endpointslice.kubernetes.io/managed-by"

    package let name: String
    package let namespace: String
    /// nil for a slice of no Service.
    package let serviceName: String?
    /// nil for slices of names (FQDN).
    package let family: IPFamily?
    package let ports: [Port]
    package let endpoints: [Endpoint]

    package init(_ object: KubeObject) {
        name = object.name
        namespace = object.namespace
        serviceName = object.labels[Self.serviceNameLabel]
        family = object.json["addressType"]?.stringValue.flatMap(IPFamily.init)
        ports = (object.json["ports"]?.arrayValue ?? []).compactMap { json in
            json["port"]?.intValue.flatMap(UInt16.init(exactly:)).map {
                Port(
                    name: json["name"]?.stringValue ?? "",
                    proto: json["protocol"]?.stringValue.flatMap(TransportProtocol.init) ?? .tcp, port: $0)
            }
        }
        endpoints = (object.json["endpoints"]?.arrayValue ?? []).map(Endpoint.init)
    }
}

extension EndpointSlice.Endpoint {
    fileprivate init(_ json: JSONValue) {
        addresses = (json["addresses"]?.strings ?? []).compactMap { IPAddress($0) }
        let conditions = json["conditions"]
        isReady = conditions?["ready"]?.boolValue ?? true
        isServing = conditions?["serving"]?.boolValue ?? isReady
        isTerminating = conditions?["terminating"]?.boolValue ?? false
        hostname = json["hostname"]?.stringValue?.nilIfEmpty
        nodeName = json["nodeName"]?.stringValue?.nilIfEmpty
        zone = json["zone"]?.stringValue?.nilIfEmpty
        zoneHints = (json["hints"]?["forZones"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        nodeHints = (json["hints"]?["forNodes"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        targetName = json["targetRef"]?["name"]?.stringValue
    }
}
