import ClusterModel
import Testing

struct JSONTests {
    @Test(
        "What is read is written back the same, keys sorted",
        arguments: [
            "null", "true", "[1,-2,3.5]", #"{"a":{"b":[]},"c":"d"}"#, #""\"\\ü\n""#, "9223372036854775807", "{}",
        ])
    func roundTrip(text: String) throws {
        #expect(try JSONValue(parsing: text).serializedText() == text)
    }

    @Test("Escapes and surrogate pairs become the characters they mean; 80.0 is a whole number")
    func values() throws {
        #expect(try JSONValue(parsing: #""\u00e9\ud83d\ude00\/""#).stringValue == "é😀/")
        #expect(try JSONValue(parsing: " [80.0 , 1e2] ")[0]?.intValue == 80)
    }

    @Test(
        "Anything else is an error, never a trap",
        arguments: [
            "", "{", "[1,]", #"{"a":1,"a":2}"#, #"{"a" 1}"#, "01", "1.", "+1", "nul", "\"\u{1}\"", #""\x""#,
            #""\ud83d""#,
            "1 2", "'a'",
        ])
    func refused(text: String) {
        #expect(throws: JSONParseError.self) { try JSONValue(parsing: text) }
    }

    @Test("[sig-api-machinery] FieldValidation: keys that come twice are found where they are, and the last counts")
    func duplicates() throws {
        let text = #"{"spec":{"a":1,"a":2,"b":[{"c":1},{"c":1,"c":2}]},"spec2":{"a":1}}"#
        let error = #expect(throws: JSONParseError.self) { try JSONValue(parsing: text) }
        #expect(error?.isDuplicateKey == true)
        let found = try JSONValue.parsing(withDuplicates: Array(text.utf8))
        #expect(found.duplicates == ["spec.a", "spec.b[1].c"])
        #expect(found.value["spec"]?["a"] == 2 && found.value["spec"]?["b"]?[1]?["c"] == 2)
    }

    @Test("Nesting is bounded, and a cut anywhere is an error")
    func bounds() {
        #expect(throws: JSONParseError.self) {
            try JSONValue(parsing: String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000))
        }
        let whole = Array(#"{"a":[1,"x\u00e9",null],"b":{"c":true}}"#.utf8)
        for length in whole.indices {
            #expect(throws: JSONParseError.self) { try JSONValue(parsing: whole[..<length]) }
        }
    }
}
