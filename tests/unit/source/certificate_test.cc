// RSA under a certificate that the request names: AWS SNS and PayPal. The certificates are made here.
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "engine/source/body_text.h"
#include "engine/source/encoding.h"
#include "engine/source/sns.h"
#include "tests/support/temp_directory.h"
#include "tests/unit/source/support.h"

namespace weir::source {
namespace {

class Certificate {
 public:
  // Signed by `issuer`, or by itself.
  explicit Certificate(const std::string& name = "test", const Certificate* issuer = nullptr)
      : key_(EVP_RSA_gen(2048), EVP_PKEY_free), name_(name) {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    ASN1_TIME_set(X509_getm_notBefore(certificate.get()), kNowS - 3600);
    ASN1_TIME_set(X509_getm_notAfter(certificate.get()), kNowS + 3600);
    X509_set_version(certificate.get(), X509_VERSION_3);
    SetName(X509_get_subject_name(certificate.get()), name);
    SetName(X509_get_issuer_name(certificate.get()), issuer != nullptr ? issuer->name_ : name);
    X509_set_pubkey(certificate.get(), key_.get());
    const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> may_issue(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE"),
        X509_EXTENSION_free);
    X509_add_ext(certificate.get(), may_issue.get(), -1);
    X509_sign(certificate.get(), issuer != nullptr ? issuer->key_.get() : key_.get(), EVP_sha256());
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_X509(out.get(), certificate.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    pem_.assign(text, static_cast<std::size_t>(size));
  }

  const std::string& pem() const { return pem_; }

  std::string Sign(std::string_view message, const EVP_MD* digest = EVP_sha256()) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::string signature(256, '\0');
    std::size_t size = signature.size();
    EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get());
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                   reinterpret_cast<const unsigned char*>(message.data()), message.size());
    std::string text;
    AppendBase64(text, {reinterpret_cast<const std::uint8_t*>(signature.data()), size}, Base64Form::kPadded);
    return text;
  }

 private:
  static void SetName(X509_NAME* into, const std::string& name) {
    X509_NAME_add_entry_by_NID(into, NID_commonName, MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.data()), -1, -1, 0);
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::string name_;
  std::string pem_;
};

const Certificate& Ours() {
  static const Certificate certificate;
  return certificate;
}

constexpr std::string_view kUrl = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem";

// One SNS message; `extra` goes in front of its members.
std::string SnsBody(const Certificate& signer, std::string_view type, std::string_view extra = "",
                    std::string_view url = kUrl) {
  const bool notification = type == "Notification";
  std::string text = "Message\nhello\nMessageId\nm-1\n";
  if (!notification)
    text += "SubscribeURL\nhttps://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription\n";
  text += "Timestamp\n2026-01-01T00:00:00.000Z\n";
  if (!notification) text += "Token\ntok\n";
  text += "TopicArn\narn:aws:sns:eu-west-1:1:topic\nType\n" + std::string(type) + "\n";
  std::string body = "{" + std::string(extra) + R"("Type":")" + std::string(type) +
                     R"(","MessageId":"m-1","TopicArn":"arn:aws:sns:eu-west-1:1:topic","Message":"hello",)" +
                     R"("Timestamp":"2026-01-01T00:00:00.000Z","SignatureVersion":"2",)";
  if (!notification) {
    body +=
        R"("Token":"tok","SubscribeURL":"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",)";
  }
  return body + R"("Signature":")" + signer.Sign(text) + R"(","SigningCertURL":")" + std::string(url) + "\"}";
}

std::string AnswerToSns(const Source& source, std::string body) {
  OwnedRequest request;
  request.body = std::move(body);
  request.headers = {{"Content-Type", "text/plain; charset=UTF-8"}};
  return AnswerTo(source, request);
}

Source SnsWithFiles() {
  Source source = SourceOf("sns", {});
  source.certificates = {{"SimpleNotificationService-1.pem", Ours().pem()}};
  return source;
}

TEST(Certificates, AnSnsMessageUnderAKnownCertificateIsAccepted) {
  EXPECT_EQ(AnswerToSns(SnsWithFiles(), SnsBody(Ours(), "Notification")), "accepted");
  EXPECT_EQ(AnswerToSns(SourceOf("sns", {Ours().pem()}), SnsBody(Ours(), "Notification")), "accepted");
}

TEST(Certificates, AnUnknownCertificateIsAKeyThatCannotBeHadRightNow) {
  const std::string other = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-2.pem";
  EXPECT_EQ(AnswerToSns(SnsWithFiles(), SnsBody(Ours(), "Notification", "", other)), "key_unavailable");
}

TEST(Certificates, WithoutAnyYetEveryKeyIsOneThatCannotBeHad) {
  Source source = SourceOf("sns", {});
  source.certificates_by_name = true;
  EXPECT_EQ(AnswerToSns(source, SnsBody(Ours(), "Notification")), "key_unavailable");
}

TEST(Certificates, AnotherKeysSignatureIsInvalid) {
  EXPECT_EQ(AnswerToSns(SnsWithFiles(), SnsBody(Certificate(), "Notification")), "invalid_signature");
}

TEST(Certificates, OnlySnsItselfMayNameACertificate) {
  for (const char* url : {"http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
                          "https://sns.eu-west-1.amazonaws.com.evil.com/SimpleNotificationService-1.pem",
                          "https://evil.com/SimpleNotificationService-1.pem",
                          "https://sns.a.amazonaws.com/SimpleNotificationService-1.pem",
                          "https://user@sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
                          "https://sns.eu-west-1.amazonaws.com:444/SimpleNotificationService-1.pem",
                          "https://sns.eu-west-1.amazonaws.com/x?SimpleNotificationService-1.pem",
                          "https://sns.eu.west.amazonaws.com/SimpleNotificationService-1.pem"}) {
    EXPECT_EQ(AnswerToSns(SnsWithFiles(), SnsBody(Ours(), "Notification", "", url)), "malformed_signature")
        << url;
  }
}

TEST(Certificates, AKeyThatOccursTwiceIsRefusedWhicheverWasSigned) {
  EXPECT_EQ(AnswerToSns(SnsWithFiles(), SnsBody(Ours(), "Notification", R"("Message":"forged",)")),
            "malformed_signature");
  std::string last = SnsBody(Ours(), "Notification");
  last.insert(last.size() - 1, R"(,"Mess\u0061ge":"forged")");
  EXPECT_EQ(AnswerToSns(SnsWithFiles(), last), "malformed_signature");
}

TEST(Certificates, ATopicThatIsPinnedIsTheOnlyOne) {
  Source source = SnsWithFiles();
  source.parameters = {{"topic_arn", "arn:aws:sns:eu-west-1:1:topic"}};
  EXPECT_EQ(AnswerToSns(source, SnsBody(Ours(), "Notification")), "accepted");
  source.parameters = {{"topic_arn", "arn:aws:sns:eu-west-1:2:topic"}};
  EXPECT_EQ(AnswerToSns(source, SnsBody(Ours(), "Notification")), "invalid_signature");
}

TEST(Certificates, AConfirmationIsAnsweredAndNamesItsUrlToTheOperator) {
  OwnedRequest request;
  request.body = SnsBody(Ours(), "SubscriptionConfirmation");
  Verifier verifier(1);
  const Verdict verdict = verifier.Verify(SnsWithFiles(), request.View(), kNowUs);
  ASSERT_EQ(AnswerOf(verdict), "handshake");
  EXPECT_EQ(std::get<Handshake>(verdict).confirm_url,
            "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription");
}

TEST(Certificates, AnUnsignedConfirmationIsRefused) {
  EXPECT_EQ(AnswerToSns(SnsWithFiles(), SnsBody(Certificate(), "SubscriptionConfirmation")),
            "invalid_signature");
}

OwnedRequest PayPal(std::string_view cert_url, std::string_view webhook_id,
                    const Certificate& signer = Ours()) {
  OwnedRequest request;
  request.body = R"({"id":"WH-1","event_type":"PAYMENT.CAPTURE.COMPLETED"})";
  const std::string text =
      "t-1|2026-01-01T00:00:00Z|" + std::string(webhook_id) + "|" + std::to_string(Crc32(request.body));
  request.headers = {{"PAYPAL-TRANSMISSION-ID", "t-1"},
                     {"PAYPAL-TRANSMISSION-TIME", "2026-01-01T00:00:00Z"},
                     {"PAYPAL-TRANSMISSION-SIG", signer.Sign(text)},
                     {"PAYPAL-CERT-URL", std::string(cert_url)},
                     {"PAYPAL-AUTH-ALGO", "SHA256withRSA"}};
  return request;
}

Source PayPalSource() {
  Source source = SourceOf("paypal", {});
  source.certificates = {{"CERT-1", Ours().pem()}};
  source.parameters = {{"webhook_id", "1JE4291016473214C"}};
  return source;
}

constexpr std::string_view kPayPalUrl = "https://api.paypal.com/v1/notifications/certs/CERT-1";

TEST(Certificates, PayPalSignsItsWebhookIdAndTheBodysChecksum) {
  EXPECT_EQ(AnswerTo(PayPalSource(), PayPal(kPayPalUrl, "1JE4291016473214C")), "accepted");
  EXPECT_EQ(AnswerTo(PayPalSource(), PayPal(kPayPalUrl, "WH-1")), "invalid_signature");
  OwnedRequest changed = PayPal(kPayPalUrl, "1JE4291016473214C");
  changed.body += ' ';
  EXPECT_EQ(AnswerTo(PayPalSource(), changed), "invalid_signature");
}

TEST(Certificates, AreFoundWithAndWithoutTheExtensionOfTheirFile) {
  Source source = SourceOf("paypal", {});
  source.certificates = {{"CERT-1.pem", Ours().pem()}};
  source.parameters = {{"webhook_id", "1JE4291016473214C"}};
  EXPECT_EQ(AnswerTo(source, PayPal(kPayPalUrl, "1JE4291016473214C")), "accepted");
}

TEST(Certificates, PayPalsCertificatesComeFromPayPal) {
  EXPECT_EQ(AnswerTo(PayPalSource(), PayPal("https://api.paypal.com.evil.com/CERT-1", "1JE4291016473214C")),
            "malformed_signature");
  EXPECT_EQ(AnswerTo(PayPalSource(),
                     PayPal("https://api.paypal.com/v1/notifications/certs/CERT-2", "1JE4291016473214C")),
            "key_unavailable");
}

TEST(Certificates, Crc32IsThatOfTheStandard) {
  EXPECT_EQ(Crc32("123456789"), 0xcbf43926U);
}

TEST(CertificateDates, OneThatDoesNotHoldSignsNothing) {
  Verifier verifier(1);
  OwnedRequest request;
  request.body = SnsBody(Ours(), "Notification");
  const struct {
    std::int64_t now_s;
    std::string_view says;
  } cases[] = {{kNowS - 3601, "does not hold yet; is this machine's clock behind?"},
               {kNowS + 3601, "does not hold any more; the sender has a newer one"}};
  for (const auto& [now_s, says] : cases) {
    const Verdict verdict = verifier.Verify(SnsWithFiles(), request.View(), now_s * 1'000'000);
    ASSERT_EQ(AnswerOf(verdict), "invalid_signature") << now_s;
    EXPECT_NE(std::get<Rejected>(verdict).detail.find(says), std::string::npos)
        << std::get<Rejected>(verdict).detail;
  }
}

TEST(CertificateDates, AreWarnedOf) {
  const auto warning_at = [](std::int64_t now_s) { return WarningsOf(SnsWithFiles(), now_s).front(); };
  EXPECT_TRUE(warning_at(kNowS + 3601).contains("expired at 2026-01-01T01:00:00"));
  EXPECT_TRUE(warning_at(kNowS - 3601).contains("does not hold before"));
  EXPECT_TRUE(warning_at(kNowS).contains("expires soon"));
}

TEST(CertificateChain, NobodyVouchesForACertificateOfOnesOwn) {
  const auto warnings = WarningsOf(SnsWithFiles(), kNowS);
  EXPECT_TRUE(warnings.back().contains("is not vouched for by an authority of this machine"))
      << warnings.back();
}

// An authority, one between, and PayPal's certificate; `file` is what PAYPAL-CERT-URL serves.
class PayPalChain : public testing::Test {
 protected:
  PayPalChain() : directory_(tests::MakeTempDirectory()) {
    std::ofstream(directory_ / "authority.pem") << authority_.pem();
    ::setenv("SSL_CERT_FILE", (directory_ / "authority.pem").c_str(), 1);
  }
  ~PayPalChain() override {
    ::unsetenv("SSL_CERT_FILE");
    std::filesystem::remove_all(directory_);
  }
  static Source With(const std::string& file) {
    Source source = PayPalSource();
    source.certificates = {{"CERT-1", file}};
    return source;
  }
  static OwnedRequest SignedBy(const Certificate& certificate) {
    return PayPal(kPayPalUrl, "1JE4291016473214C", certificate);
  }

  const std::filesystem::path directory_;
  const Certificate authority_{"authority"};
  const Certificate between_{"between", &authority_};
  const Certificate leaf_{"messageverificationcerts.paypal.com", &between_};
};

TEST_F(PayPalChain, ThatLeadsToAnAuthorityIsBelieved) {
  EXPECT_EQ(AnswerTo(With(leaf_.pem() + between_.pem()), SignedBy(leaf_)), "accepted");
}

TEST_F(PayPalChain, WithAGapIsRefusedAndCheckSaysSo) {
  const Source source = With(leaf_.pem());
  Verifier verifier(1);
  const Verdict verdict = verifier.Verify(source, SignedBy(leaf_).View(), kNowUs);
  ASSERT_EQ(AnswerOf(verdict), "invalid_signature");
  EXPECT_NE(std::get<Rejected>(verdict).detail.find("does not lead to an authority"), std::string::npos);
  EXPECT_NE(WarningsOf(source, kNowS).back().find("what it signs is refused"), std::string::npos);
}

TEST_F(PayPalChain, ToAnAuthorityOfSomebodyElseIsRefused) {
  const Certificate stranger("authority");
  const Certificate leaf("messageverificationcerts.paypal.com", &stranger);
  EXPECT_EQ(AnswerTo(With(leaf.pem() + stranger.pem()), SignedBy(leaf)), "invalid_signature");
}

TEST_F(PayPalChain, IsNotAskedOfACertificateOfOnesOwn) {
  const Certificate own("test");
  EXPECT_EQ(AnswerTo(With(own.pem()), SignedBy(own)), "accepted");
}

TEST(UnknownCertificate, IsNamedInTheRefusal) {
  Verifier verifier(1);
  OwnedRequest request;
  request.body = SnsBody(Ours(), "Notification", "", "https://sns.eu-west-1.amazonaws.com/Next-2.pem");
  const Verdict verdict = verifier.Verify(SnsWithFiles(), request.View(), kNowUs);
  ASSERT_EQ(AnswerOf(verdict), "key_unavailable");
  EXPECT_TRUE(std::get<Rejected>(verdict).detail.contains("Next-2.pem"))
      << std::get<Rejected>(verdict).detail;
}

}  // namespace
}  // namespace weir::source
