import ClusterModel
import NetTypes

/// The port list that slices are grouped by.
struct SlicePort: Hashable, Comparable {
    let name: String
    let proto: TransportProtocol
    let port: UInt16
    let appProtocol: String?

    var json: JSONValue {
        var json: JSONValue = [
            "name": .string(name), "protocol": .string(proto.rawValue), "port": JSONValue(port),
        ]
        json["appProtocol"] = appProtocol.map { .string($0) }
        return json
    }

    static func < (left: SlicePort, right: SlicePort) -> Bool {
        (left.name, left.proto, left.port) < (right.name, right.proto, right.port)
    }
}

/// Endpoints that can share a slice: one address family, one port list (3.6).
struct SliceGroup: Hashable {
    let family: IPFamily
    let ports: [SlicePort]
}

/// One endpoint as a slice holds it.
struct SliceEndpoint: Hashable {
    /// Tells endpoints of one Service and family apart: the address and the pod's uid.
    let identity: String
    var json: JSONValue

    var isReady: Bool { json["conditions"]?["ready"]?.boolValue ?? true }
}
