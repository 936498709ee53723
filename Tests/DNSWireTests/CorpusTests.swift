import DNSWire
import Foundation
import Testing

/// What the fuzzer has found to reach all code (`Benchmarks/dns/fuzz.sh`), run once more in each test run.
@Suite("Messages from the fuzzer")
struct CorpusTests {
    @Test("Each is an error or a message that is written and read again as it was, cut to 512 octets too")
    func roundTrip() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Benchmarks/dns/corpus").standardized
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count > 100)
        for file in files {
            let bytes = [UInt8](try Data(contentsOf: file))
            _ = try? Message.ttlOffsets(in: bytes)
            guard let message = try? Message(decoding: bytes) else { continue }
            let again = try Message(decoding: message.encoded())
            #expect(again == message || again.isTruncated, "\(file.lastPathComponent)")
            let small = message.encoded(limit: Message.defaultUDPSize)
            #expect(throws: Never.self, "\(file.lastPathComponent)") { try Message(decoding: small) }
        }
    }
}
