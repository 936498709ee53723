#if os(Linux)
/// The compiled programs: an ELF file for eBPF, as clang writes it.
///
/// Only what `programs.bpf.c` makes is understood: 64 bits, little endian, a program per section `cgroup/...`, maps in a
/// section `maps`, and relocations that put a map into a program.
struct ProgramObject: Equatable {
    /// A program and the maps that it uses.
    struct Program: Equatable {
        /// `connect4` and its like.
        let name: String
        /// Instructions of eight bytes.
        let code: [UInt8]
        /// Where the descriptors of maps belong, as offsets of instructions in bytes.
        let maps: [Reference]
    }

    /// An instruction that names a map.
    struct Reference: Equatable {
        let offset: Int
        let map: String
    }

    /// A map as the file declares it.
    struct Map: Equatable {
        let name: String
        let type: UInt32
        let keySize: UInt32
        let valueSize: UInt32
        let entries: UInt32
        let flags: UInt32
    }

    /// What of the file does not fit.
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    let programs: [Program]
    let maps: [Map]
    let license: String
    /// The compiler's name for itself.
    let compiler: String

    init(_ bytes: [UInt8]) throws(Malformed) {
        let file = ELFBytes(bytes)
        guard bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]), file.number16(18) == 247 else {
            throw Malformed(description: "not an ELF file for eBPF, 64 bits, little endian")
        }
        let sections = try file.sections()
        let symbols = try file.symbols(sections)
        var maps: [Map] = []
        for symbol in symbols where sections[symbol.section].name == "maps" {
            let words = (0..<5).map { file.number32(sections[symbol.section].offset + symbol.value + 4 * $0) ?? 0 }
            maps.append(
                Map(
                    name: symbol.name, type: words[0], keySize: words[1], valueSize: words[2], entries: words[3],
                    flags: words[4]))
        }
        let names = Set(maps.map(\.name))
        var programs: [Program] = []
        for (index, section) in sections.enumerated() where section.name.hasPrefix("cgroup/") {
            var references: [Reference] = []
            for relocations in sections where relocations.type == ELFBytes.relocationType && relocations.info == index {
                for position in stride(from: relocations.offset, to: relocations.end, by: 16) {
                    guard let offset = file.number64(position), let info = file.number64(position + 8),
                        info & 0xFFFF_FFFF == 1, offset + 16 <= section.size,
                        let symbol = symbols.first(where: { $0.index == info >> 32 }), names.contains(symbol.name)
                    else { throw Malformed(description: "\(section.name) refers to something that is no map") }
                    references.append(Reference(offset: offset, map: symbol.name))
                }
            }
            guard let code = file.slice(section), code.count % 8 == 0, !code.isEmpty else {
                throw Malformed(description: "\(section.name) has no instructions")
            }
            programs.append(
                Program(name: String(section.name.dropFirst("cgroup/".count)), code: code, maps: references))
        }
        self.programs = programs
        self.maps = maps
        license = file.text(in: sections, named: ".license")
        compiler = file.text(in: sections, named: ".compiler")
    }
}

/// Reads the tables of an ELF file; nil or an error beyond its end, whatever the bytes are.
private struct ELFBytes {
    /// A section of the ELF file.
    struct Section {
        let name: String
        let type: UInt32
        let offset: Int
        let size: Int
        let link: Int
        let info: Int
        var end: Int { offset + size }
    }

    /// An entry of the ELF file's symbol table.
    struct Symbol {
        let index: Int
        let name: String
        let section: Int
        let value: Int
    }

    static let relocationType: UInt32 = 9
    private static let symbolTableType: UInt32 = 2
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func sections() throws(ProgramObject.Malformed) -> [Section] {
        let truncated = ProgramObject.Malformed(description: "the file is cut off")
        guard let table = number64(40), let count = number16(60), let namesIndex = number16(62), namesIndex < count,
            let namesAt = number64(table + namesIndex * 64 + 24), table + count * 64 <= bytes.count
        else { throw truncated }
        var sections: [Section] = []
        for index in 0..<count {
            let at = table + index * 64
            guard let name = number32(at), let type = number32(at + 4), let offset = number64(at + 24),
                let size = number64(at + 32), let link = number32(at + 40), let info = number32(at + 44),
                offset <= bytes.count, type == 8 || size <= bytes.count - offset
            else { throw truncated }
            sections.append(
                Section(
                    name: text(at: namesAt + Int(name)), type: type, offset: offset, size: size, link: Int(link),
                    info: Int(info)))
        }
        return sections
    }

    func symbols(_ sections: [Section]) throws(ProgramObject.Malformed) -> [Symbol] {
        guard let table = sections.first(where: { $0.type == Self.symbolTableType }),
            sections.indices.contains(table.link)
        else { throw ProgramObject.Malformed(description: "the file has no symbols") }
        let names = sections[table.link].offset
        var symbols: [Symbol] = []
        for (index, at) in stride(from: table.offset, to: table.end, by: 24).enumerated() {
            guard let name = number32(at), let section = number16(at + 6), let value = number64(at + 8) else { break }
            guard sections.indices.contains(section), section > 0 else { continue }
            symbols.append(Symbol(index: index, name: text(at: names + Int(name)), section: section, value: value))
        }
        return symbols
    }

    func slice(_ section: Section) -> [UInt8]? {
        section.end <= bytes.count ? Array(bytes[section.offset..<section.end]) : nil
    }

    func text(in sections: [Section], named name: String) -> String {
        sections.first { $0.name == name }.map { text(at: $0.offset) } ?? ""
    }

    func number16(_ offset: Int) -> Int? { number(offset, 2).map { Int($0) } }
    func number32(_ offset: Int) -> UInt32? { number(offset, 4).map { UInt32(truncatingIfNeeded: $0) } }
    /// Offsets and sizes: none is near 2^48, so that sums cannot overflow.
    func number64(_ offset: Int) -> Int? { number(offset, 8).flatMap { $0 < 1 << 48 ? Int($0) : nil } }

    private func number(_ offset: Int, _ size: Int) -> UInt64? {
        guard offset >= 0, offset <= bytes.count - size else { return nil }
        return bytes[offset..<offset + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func text(at offset: Int) -> String {
        guard bytes.indices.contains(offset) else { return "" }
        return String(decoding: bytes[offset...].prefix { $0 != 0 }, as: UTF8.self)
    }
}
#endif
