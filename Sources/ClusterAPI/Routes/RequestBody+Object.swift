import ClusterModel
import HTTPTypes
import HummingbirdCore
import Manifests
import NIOCore

/// Bodies of writes.
enum BodyReader {
    /// Bytes that a body may have, as an API server has it.
    static let largest = 3 << 20

    /// The media type, without parameters, in lower case; JSON where there is none.
    static func mediaType(_ request: Request) -> String {
        let text = (request.headers[.contentType] ?? "application/json").prefix { $0 != ";" }
        return text.filter { $0 != " " }.lowercased()
    }

    /// What a body may be written in.
    static func accepted(isPatch: Bool) -> String {
        isPatch
            ? "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
                + "application/apply-patch+yaml"
            : "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    }

    static func bytes(_ request: Request) async throws(BodyFailure) -> [UInt8] {
        do {
            return Array(try await request.body.collect(upTo: largest).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw .tooLarge
        } catch {
            throw .broken
        }
    }

    /// The object in a body, whatever it is written in.
    static func object(_ request: Request) async throws -> JSONValue {
        try object(try await bytes(request), mediaType(request))
    }

    /// The object in a body, and the fields that are there twice.
    static func document(_ request: Request) async throws -> Document {
        let bytes = try await bytes(request)
        let type = mediaType(request)
        return type == "application/json" ? try document(bytes) : Document(json: try object(bytes, type))
    }

    /// A JSON document, and the fields that are there twice, of which the last counts.
    static func document(_ bytes: [UInt8]) throws(APIError) -> Document {
        do throws(JSONParseError) {
            return Document(json: try JSONValue(parsing: bytes))
        } catch {
            guard error.isDuplicateKey, let found = try? JSONValue.parsing(withDuplicates: bytes) else {
                throw APIError(.badRequest, "couldn't get version/kind; json parse error: \(error)")
            }
            return Document(json: found.value, duplicates: found.duplicates)
        }
    }

    /// What a body says.
    struct Document {
        let json: JSONValue
        /// The paths of fields that are there twice.
        var duplicates: [String] = []
    }

    /// The object in a body that may be empty; then nil.
    static func optionalObject(_ request: Request) async throws -> JSONValue? {
        let bytes = try await bytes(request)
        return bytes.isEmpty ? nil : try object(bytes, mediaType(request))
    }

    private static func object(_ bytes: [UInt8], _ mediaType: String) throws -> JSONValue {
        switch mediaType {
        case "application/json": return try json(bytes)
        case "application/yaml": return try yaml(bytes)
        case "application/vnd.kubernetes.protobuf":
            do {
                return try ProtobufDecoder.object(from: bytes)
            } catch {
                throw APIError(.badRequest, "\(error)")
            }
        case let other: throw BodyFailure.unsupported(other)
        }
    }

    static func json(_ bytes: [UInt8]) throws(APIError) -> JSONValue {
        do throws(JSONParseError) {
            return try JSONValue(parsing: bytes)
        } catch {
            throw APIError(.badRequest, "couldn't get version/kind; json parse error: \(error)")
        }
    }

    static func yaml(_ bytes: [UInt8]) throws(APIError) -> JSONValue {
        do throws(ManifestError) {
            return try ManifestParser.parsePlain(String(decoding: bytes, as: UTF8.self), file: "body")
        } catch {
            throw APIError(.badRequest, "\(error)")
        }
    }
}

/// What is wrong with a body before its content matters.
enum BodyFailure: Error {
    case tooLarge
    case broken
    case unsupported(String)
    /// A JSON patch that the object does not fit.
    case inapplicable
}
