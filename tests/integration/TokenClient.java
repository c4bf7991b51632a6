import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.Security;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Arrays;
import java.util.Collections;
import java.util.TreeSet;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.KeyGenerator;
import javax.crypto.SecretKey;
import javax.crypto.spec.IvParameterSpec;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;

/** Drives Java's SunPKCS11 on a token: key store, signatures, decryption, key agreement, AES and mutual TLS.
 *  Arguments: SunPKCS11 configuration file, PIN, CA certificate, port of a TLS server that wants our certificate. */
public final class TokenClient {
    private static final byte[] MESSAGE = "a message for Java".getBytes();
    private final Provider provider;
    private final KeyStore store;

    private TokenClient(String configuration, char[] pin) throws Exception {
        provider = Security.getProvider("SunPKCS11").configure(configuration);
        Security.addProvider(provider);
        store = KeyStore.getInstance("PKCS11", provider);
        store.load(null, pin);
    }

    public static void main(String[] arguments) throws Exception {
        char[] pin = arguments[1].toCharArray();
        TokenClient client = new TokenClient(arguments[0], pin);
        client.list();
        for (String name : new String[] {"SHA256withRSA", "SHA512withRSA"}) client.sign("rsa", name, null);
        client.sign("rsa", "RSASSA-PSS",
            new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, PSSParameterSpec.TRAILER_FIELD_BC));
        for (String name : new String[] {"SHA256withECDSA", "SHA384withECDSA"}) client.sign("ec", name, null);
        client.decrypt();
        client.agree();
        client.encryptWithAes();
        for (String alias : new String[] {"rsa", "ec"})
            for (String version : new String[] {"TLSv1.2", "TLSv1.3"})
                client.connect(alias, version, pin, arguments[2], Integer.parseInt(arguments[3]));
        client.writeEntry(pin, arguments[2]);
        System.out.println("all passed");
    }

    private static void check(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
    }

    private static void pass(String what) {
        System.out.println("ok: " + what);
    }

    private void list() throws Exception {
        TreeSet<String> aliases = new TreeSet<>(Collections.list(store.aliases()));
        check(aliases.containsAll(Arrays.asList("rsa", "ec")), "aliases " + aliases);
        for (String alias : new String[] {"rsa", "ec"}) check(store.isKeyEntry(alias), alias + " is no key entry");
        pass("key store lists " + aliases);
    }

    private void sign(String alias, String algorithm, PSSParameterSpec parameters) throws Exception {
        Signature signer = Signature.getInstance(algorithm, provider);
        if (parameters != null) signer.setParameter(parameters);
        signer.initSign((PrivateKey) store.getKey(alias, null));
        signer.update(MESSAGE);
        byte[] signature = signer.sign();
        // The same key verifies in Java's own software, which shares no code with the token.
        Certificate certificate = CertificateFactory.getInstance("X.509").generateCertificate(
            new ByteArrayInputStream(store.getCertificate(alias).getEncoded()));
        Signature software = Signature.getInstance(algorithm, algorithm.endsWith("ECDSA") ? "SunEC" : "SunRsaSign");
        if (parameters != null) software.setParameter(parameters);
        software.initVerify(certificate.getPublicKey());
        software.update(MESSAGE);
        check(software.verify(signature), algorithm);
        pass("signed with " + algorithm);
    }

    private void decrypt() throws Exception {
        Cipher software = Cipher.getInstance("RSA/ECB/PKCS1Padding", "SunJCE");
        software.init(Cipher.ENCRYPT_MODE, CertificateFactory.getInstance("X.509").generateCertificate(
            new ByteArrayInputStream(store.getCertificate("rsa").getEncoded())).getPublicKey());
        byte[] sealed = software.doFinal(MESSAGE);
        Cipher token = Cipher.getInstance("RSA/ECB/PKCS1Padding", provider);
        token.init(Cipher.DECRYPT_MODE, store.getKey("rsa", null));
        check(Arrays.equals(MESSAGE, token.doFinal(sealed)), "RSA decryption");
        pass("decrypted with RSA");
    }

    private void agree() throws Exception {
        KeyPairGenerator software = KeyPairGenerator.getInstance("EC", "SunEC");
        software.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair peer = software.generateKeyPair();
        KeyAgreement mine = KeyAgreement.getInstance("ECDH", provider);
        mine.init(store.getKey("ec", null));
        mine.doPhase(peer.getPublic(), true);
        KeyAgreement theirs = KeyAgreement.getInstance("ECDH", "SunEC");
        theirs.init(peer.getPrivate());
        theirs.doPhase(store.getCertificate("ec").getPublicKey(), true);
        check(Arrays.equals(mine.generateSecret(), theirs.generateSecret()), "ECDH secrets differ");
        pass("agreed by ECDH");
    }

    private void encryptWithAes() throws Exception {
        KeyGenerator generator = KeyGenerator.getInstance("AES", provider);
        generator.init(256);
        SecretKey key = generator.generateKey();
        IvParameterSpec iv = new IvParameterSpec(new byte[16]);
        Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding", provider);
        cipher.init(Cipher.ENCRYPT_MODE, key, iv);
        byte[] sealed = cipher.doFinal(MESSAGE);
        cipher.init(Cipher.DECRYPT_MODE, key, iv);
        check(Arrays.equals(MESSAGE, cipher.doFinal(sealed)), "AES");
        pass("AES session key");
    }

    private void connect(String alias, String version, char[] pin, String ca, int port) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream file = new FileInputStream(ca)) {
            trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[] {new OneKey(alias)}, trust.getTrustManagers(), null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.setSoTimeout(30000);
            socket.setEnabledProtocols(new String[] {version});
            socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
            ByteArrayOutputStream page = new ByteArrayOutputStream();
            socket.getInputStream().transferTo(page);
            check(page.toString().replace(" ", "").contains("CN=" + alias), "server did not see " + alias);
        }
        pass(version + " client with the " + alias + " key");
    }

    /** Chooses the key by its name, whatever the server would prefer. */
    private final class OneKey extends X509ExtendedKeyManager {
        private final String alias;

        OneKey(String alias) { this.alias = alias; }

        @Override public String[] getClientAliases(String type, Principal[] issuers) {
            return new String[] {alias};
        }
        @Override public String chooseClientAlias(String[] types, Principal[] issuers,
                                                  Socket socket) {
            String wanted = alias.equals("rsa") ? "RSA" : "EC";
            return Arrays.asList(types).contains(wanted) ? alias : null;
        }
        @Override public String[] getServerAliases(String type, Principal[] issuers) { return null; }
        @Override public String chooseServerAlias(String type, Principal[] issuers,
                                                  Socket socket) { return null; }
        @Override public X509Certificate[] getCertificateChain(String name) {
            try {
                return new X509Certificate[] {
                    (X509Certificate) store.getCertificate(name)};
            } catch (KeyStoreException error) {
                throw new IllegalStateException(error);
            }
        }
        @Override public PrivateKey getPrivateKey(String name) {
            try {
                return (PrivateKey) store.getKey(name, null);
            } catch (GeneralSecurityException error) {
                throw new IllegalStateException(error);
            }
        }
    }

    /** A key with its certificate gets a chain, which a fresh look at the token finds; then the entry is deleted. */
    private void writeEntry(char[] pin, String ca) throws Exception {
        Certificate issuer;
        try (InputStream file = new FileInputStream(ca)) {
            issuer = CertificateFactory.getInstance("X.509").generateCertificate(file);
        }
        store.setKeyEntry("spare", store.getKey("spare", null), null,
            new Certificate[] {store.getCertificate("spare"), issuer});
        store.load(null, pin);
        check(store.getKey("spare", null) instanceof PrivateKey, "the entry lost its key");
        check(store.getCertificateChain("spare").length == 2, "the chain was not written");
        store.deleteEntry("spare");
        store.load(null, pin);
        check(!store.containsAlias("spare"), "the deleted entry is still there");
        check(store.isKeyEntry("rsa") && store.isKeyEntry("ec"), "deleting one entry harmed another");
        pass("entry written and deleted");
    }
}
