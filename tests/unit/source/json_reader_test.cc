#include "engine/source/json_reader.h"

#include <gtest/gtest.h>

#include "engine/limits.h"

namespace weir::source {
namespace {

// Owns the padded text a reader looks at.
class Document {
 public:
  explicit Document(std::string_view text) : text_(text) {
    const std::size_t size = text_.size();
    text_.append(limits::kJsonPaddingBytes, '\0');
    opened_ = reader_.Open(std::string_view(text_).substr(0, size));
  }
  bool opened() const { return opened_; }
  JsonReader& reader() { return reader_; }

  std::string At(std::string_view pointer) {
    const auto value = reader_.Value(*JsonPointer::Parse(pointer));
    if (value) return std::string(*value);
    constexpr const char* kNames[] = {"absent", "not a scalar", "broken"};
    return kNames[static_cast<int>(value.error())];
  }

 private:
  std::string text_;
  JsonReader reader_;
  bool opened_ = false;
};

TEST(JsonPointer, FollowsRfc6901) {
  EXPECT_TRUE(JsonPointer::Parse("")->tokens.empty());
  EXPECT_EQ(JsonPointer::Parse("/a~1b/m~0n")->tokens, (std::vector<std::string>{"a/b", "m~n"}));
  EXPECT_EQ(JsonPointer::Parse("/")->tokens, (std::vector<std::string>{""}));
  EXPECT_EQ(JsonPointer::Parse("/a~1b/m~0n")->ToString(), "/a~1b/m~0n");
}

TEST(JsonPointer, RefusesAKeyThatWouldRunOnIntoItsValue) {
  for (const char* text : {R"(/data/id":")", R"(/")", R"(/id\)", R"(/a\\")"}) {
    EXPECT_FALSE(JsonPointer::Parse(text)) << text;
  }
  for (const char* text : {R"(/say \"x\")", R"(/a\\)", R"(/a\u0022)"}) {
    EXPECT_TRUE(JsonPointer::Parse(text)) << text;
  }
}

TEST(JsonPointer, RefusesWhatIsNone) {
  EXPECT_FALSE(JsonPointer::Parse("id"));
  EXPECT_FALSE(JsonPointer::Parse("/a~2"));
  EXPECT_FALSE(JsonPointer::Parse("/a~"));
  EXPECT_NE(JsonPointer::Parse("$.id").error().find("/a/b"), std::string::npos);
}

TEST(JsonReader, ReadsStringsNumbersAndBooleans) {
  Document document(R"({"id":"evt_1","n":100,"big":12345678901234567890,"f":1.50,"yes":true,"no":false})");
  EXPECT_EQ(document.At("/id"), "evt_1");
  EXPECT_EQ(document.At("/n"), "100");
  EXPECT_EQ(document.At("/big"), "12345678901234567890");
  EXPECT_EQ(document.At("/f"), "1.50");
  EXPECT_EQ(document.At("/yes"), "true");
  EXPECT_EQ(document.At("/no"), "false");
}

TEST(JsonReader, WalksObjectsAndArraysInAnyOrder) {
  Document document(R"({"z":[{"a":1},{"a":{"b":"deep"}}],"event":{"type":"t","id":"i"}})");
  EXPECT_EQ(document.At("/event/id"), "i");
  EXPECT_EQ(document.At("/z/1/a/b"), "deep");
  EXPECT_EQ(document.At("/event/type"), "t");
  EXPECT_EQ(document.At("/z/0/a"), "1");
}

TEST(JsonReader, UndoesEscapes) {
  Document document("{\"id\":\"a\\u00e9\\n\\\"\",\"e\\u0301\":1}");
  EXPECT_EQ(document.At("/id"), "a\xc3\xa9\n\"");
}

TEST(JsonReader, ValuesStayValidWhileOthersAreRead) {
  std::string text = R"({"a":"x\ty","b":"p\tq"})";
  const std::size_t size = text.size();
  text.append(limits::kJsonPaddingBytes, '\0');
  JsonReader reader;
  ASSERT_TRUE(reader.Open({text.data(), size}));
  const auto a = reader.Value(JsonPointer{{"a"}});
  const auto b = reader.Value(JsonPointer{{"b"}});
  EXPECT_EQ(*a, "x\ty");
  EXPECT_EQ(*b, "p\tq");
}

TEST(JsonReader, OfEqualKeysTheFirstCounts) {
  Document document(R"({"type":"first","id":"1","type":"second"})");
  EXPECT_EQ(document.At("/id"), "1");
  EXPECT_EQ(document.At("/type"), "first");
}

TEST(JsonReader, WhatIsNotThereIsAbsent) {
  Document document(R"({"id":null,"a":[1],"o":{}})");
  EXPECT_EQ(document.At("/id"), "absent");
  EXPECT_EQ(document.At("/none"), "absent");
  EXPECT_EQ(document.At("/a/1"), "absent");
  EXPECT_EQ(document.At("/a/x"), "absent");
  EXPECT_EQ(document.At("/o/x"), "absent");
  EXPECT_EQ(document.At("/o"), "not a scalar");
  EXPECT_EQ(document.At("/a"), "not a scalar");
}

TEST(JsonReader, BrokenDocumentsAreNeverValues) {
  for (const char* text : {"", "not json", "{", "{\"id\"", "{\"id\":", "{\"id\":}", "[1,2", "\"open",
                           "{\"id\":tru}", "{\"id\":01}", "{\"id\":\"\xff\"}", "{\"id\" \"x\"}", "nul"}) {
    Document document(text);
    if (document.opened()) {
      EXPECT_TRUE(document.At("/id") == "broken" || document.At("/id") == "absent") << text;
    }
    // A document that has failed once stays failed.
    if (document.opened()) {
      EXPECT_TRUE(document.At("/id") == "broken" || document.At("/id") == "absent") << text;
    }
  }
}

TEST(JsonReader, SplitsAnArrayIntoTheTextOfItsObjects) {
  std::string text = R"({"events":[ {"id":1}, {"id":2,"n":[{}]} ]})";
  const std::size_t size = text.size();
  text.append(limits::kJsonPaddingBytes, '\0');
  JsonReader reader;
  ASSERT_TRUE(reader.Open({text.data(), size}));
  std::vector<std::string_view> elements;
  ASSERT_TRUE(reader.Elements(JsonPointer{{"events"}}, 10, elements));
  ASSERT_EQ(elements.size(), 2U);
  EXPECT_EQ(elements[0], R"({"id":1})");
  EXPECT_EQ(elements[1], R"({"id":2,"n":[{}]})");
}

TEST(JsonReader, SeesRepeatedKeysThroughTheirEscapes) {
  Document plain(R"({"a":1,"b":{"a":2}})");
  EXPECT_EQ(plain.reader().HasRepeatedKeys(JsonPointer{}), false);
  Document twice(R"({"a":1,"\u0061":2})");
  EXPECT_EQ(twice.reader().HasRepeatedKeys(JsonPointer{}), true);
}

}  // namespace
}  // namespace weir::source
