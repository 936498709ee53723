import FoundationEssentials

/// Base64 as Kubernetes has it in JSON.
enum Base64 {
    static func text(_ bytes: some Sequence<UInt8>) -> String { Data(bytes).base64EncodedString() }
}
