import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.security.Principal;
import java.util.List;
import org.jose4j.jwa.AlgorithmConstraints.ConstraintType;
import org.jose4j.jwk.HttpsJwks;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.jwt.consumer.JwtConsumer;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jose4j.keys.resolvers.HttpsJwksVerificationKeyResolver;

/**
 * For any application of servlets, Spring's among them: who the signed token of Écluse (translate.jwt) says it is becomes the
 * Principal of a request, and what its claim {@code groups} lists its roles. It needs jose4j (org.bitbucket.b_c:jose4j).
 *
 * <p>Without a token nobody is signed in; a token that does not hold is answered 401. The published keys are kept for as long
 * as the gateway says, and fetched anew where a token names another. A session of the application that began under another
 * name is ended before the request goes on.
 */
public class EcluseTokenFilter extends HttpFilter {
    private static final String OWNER = EcluseTokenFilter.class.getName() + ".owner";
    private static final String BEARER = "Bearer ";

    private String header;
    private JwtConsumer tokens;

    @Override
    public void init() throws ServletException {
        header = setting("header", "X-Identity-Token");
        HttpsJwks keys = new HttpsJwks(setting("keys", null));
        tokens = new JwtConsumerBuilder()
            .setVerificationKeyResolver(new HttpsJwksVerificationKeyResolver(keys))
            .setJwsAlgorithmConstraints(ConstraintType.PERMIT, setting("algorithm", "ES256"))
            .setExpectedIssuer(true, setting("issuer", null))
            .setExpectedAudience(true, setting("audience", null))
            .setRequireExpirationTime()
            .setRequireSubject()
            .build();
    }

    private String setting(String name, String usual) throws ServletException {
        String given = getInitParameter(name);
        if (given == null && usual == null) {
            throw new ServletException("EcluseTokenFilter: the init-param " + name + " is missing");
        }
        return given == null ? usual : given;
    }

    @Override
    protected void doFilter(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        String name = "";
        List<String> roles = List.of();
        String token = request.getHeader(header);
        if (token != null) {
            try {
                JwtClaims claims = tokens.processToClaims(token.startsWith(BEARER) ? token.substring(7) : token);
                name = claims.getSubject();
                roles = claims.hasClaim("groups") ? claims.getStringListClaimValue("groups") : roles;
            } catch (InvalidJwtException | MalformedClaimException why) {
                getServletContext().log("EcluseTokenFilter: " + why.getMessage());
                response.sendError(HttpServletResponse.SC_UNAUTHORIZED);
                return;
            }
        }
        HttpSession session = request.getSession(false);
        if (session != null && !name.equals(session.getAttribute(OWNER))) {
            session.invalidate();
        }
        chain.doFilter(new Told(request, name, roles), response);
    }

    private static final class Told extends HttpServletRequestWrapper {
        private final String name;
        private final List<String> roles;

        Told(HttpServletRequest request, String name, List<String> roles) {
            super(request);
            this.name = name;
            this.roles = roles;
        }

        @Override
        public Principal getUserPrincipal() {
            return name.isEmpty() ? null : () -> name;
        }

        @Override
        public String getRemoteUser() {
            return name.isEmpty() ? null : name;
        }

        @Override
        public boolean isUserInRole(String role) {
            return roles.contains(role);
        }

        @Override
        public HttpSession getSession() {
            return getSession(true);
        }

        @Override
        public HttpSession getSession(boolean create) {
            HttpSession session = super.getSession(create);
            if (session != null && session.getAttribute(OWNER) == null) {
                session.setAttribute(OWNER, name);
            }
            return session;
        }
    }
}
