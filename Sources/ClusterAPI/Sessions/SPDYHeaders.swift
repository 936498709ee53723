import CZlib

/// Header blocks of one direction of a connection: one zlib stream with SPDY's dictionary (kubectl-wire 11).
final class SPDYHeaders {
    struct Malformed: Error {}

    /// Bytes that one block may have, inflated.
    private static let largest = 64 * 1024

    private var stream = z_stream()
    private var isReady: Bool

    init() { isReady = inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK }

    deinit { if isReady { inflateEnd(&stream) } }

    /// The headers in a block, names in lower case.
    func headers(in block: [UInt8]) throws(Malformed) -> [String: String] {
        let bytes = try inflated(block)
        var rest = bytes[...]
        func number() throws(Malformed) -> Int {
            guard rest.count >= 4 else { throw Malformed() }
            defer { rest = rest.dropFirst(4) }
            return rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        }
        func text() throws(Malformed) -> String {
            let count = try number()
            guard count <= rest.count else { throw Malformed() }
            defer { rest = rest.dropFirst(count) }
            return String(decoding: rest.prefix(count), as: UTF8.self)
        }
        var headers: [String: String] = [:]
        for _ in 0..<(try number()) {
            let name = try text()
            headers[name] = try text()
        }
        return headers
    }

    /// A block without headers, in stored form; the first one of a connection begins the stream.
    static func emptyBlock(isFirst: Bool) -> [UInt8] {
        let block: [UInt8] = [0x00, 0x04, 0x00, 0xFB, 0xFF, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0xFF, 0xFF]
        return isFirst ? [0x78, 0x01] + block : block
    }

    private func inflated(_ block: [UInt8]) throws(Malformed) -> [UInt8] {
        guard isReady else { throw Malformed() }
        var input = block
        var output = [UInt8](repeating: 0, count: Self.largest)
        let count = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target -> Int? in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                while stream.avail_in > 0, stream.avail_out > 0 {
                    let result = inflate(&stream, Z_SYNC_FLUSH)
                    if result == Z_NEED_DICT {
                        var dictionary = Self.dictionary
                        guard inflateSetDictionary(&stream, &dictionary, UInt32(dictionary.count)) == Z_OK else {
                            return nil
                        }
                        continue
                    }
                    guard result == Z_OK || result == Z_STREAM_END else { return nil }
                }
                return stream.avail_in == 0 ? target.count - Int(stream.avail_out) : nil
            }
        }
        guard let count else { throw Malformed() }
        return Array(output[..<count])
    }

    /// 1,423 bytes; the words are those of SPDY/3.
    static let dictionary: [UInt8] = {
        let words =
            "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age "
            + "allow authorization cache-control connection content-base content-encoding content-language "
            + "content-length content-location content-md5 content-range content-type date etag expect expires from "
            + "host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location "
            + "max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer "
            + "transfer-encoding upgrade user-agent vary via warning www-authenticate method get status"
        let rest: [Substring] =
            ["200 OK"] + "version HTTP/1.1 url public set-cookie keep-alive origin".split(separator: " ")
        var bytes: [UInt8] = []
        for word in words.split(separator: " ") + rest {
            bytes += [0, 0, UInt8(word.utf8.count >> 8), UInt8(word.utf8.count & 0xFF)] + word.utf8
        }
        let text =
            "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 "
            + "Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 "
            + "Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr "
            + "May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,"
            + "image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
            + "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
        return bytes + text.utf8
    }()
}
