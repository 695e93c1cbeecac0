import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.security.Principal;
import java.util.List;
import java.util.regex.Pattern;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * For Spring MVC without Spring Security: who a header of Écluse says it is becomes the Principal of a request, and what a
 * second one lists its roles.
 *
 * <p>A session of the application that began under another name is ended before the request goes on. Nobody but the gateway
 * may reach the application: whoever does writes the header as they like. Spring 5 and before are compiled against
 * {@code javax.servlet}: write it in place of {@code jakarta.servlet}.
 */
public class EcluseRequestHeaderFilter extends OncePerRequestFilter {
    private static final String OWNER = EcluseRequestHeaderFilter.class.getName() + ".owner";

    private String header = "X-Remote-User";
    private String groups = "";
    private String separator = ",";
    private Charset encoding = StandardCharsets.UTF_8;

    /** The header that says who it is. */
    public void setHeader(String header) {
        this.header = header;
    }

    /** The header that lists roles, as isUserInRole() asks of them; none if it is not set. */
    public void setGroups(String groups) {
        this.groups = groups;
    }

    /** Between two roles: what {@code join} of the application's file says. */
    public void setSeparator(String separator) {
        this.separator = separator;
    }

    /** Of both headers: what {@code encoding} of the application's file says, by Java's name for it. */
    public void setEncoding(String encoding) {
        this.encoding = Charset.forName(encoding);
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        String name = text(request, header);
        String listed = groups.isEmpty() || name.isEmpty() ? "" : text(request, groups);
        HttpSession session = request.getSession(false);
        if (session != null && !name.equals(session.getAttribute(OWNER))) {
            session.invalidate();
        }
        List<String> roles = listed.isEmpty() ? List.of() : List.of(listed.split(Pattern.quote(separator)));
        chain.doFilter(new Told(request, name, roles), response);
    }

    /** A servlet container makes one character of each byte. */
    private String text(HttpServletRequest request, String name) {
        String value = request.getHeader(name);
        return value == null ? "" : new String(value.getBytes(StandardCharsets.ISO_8859_1), encoding);
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
