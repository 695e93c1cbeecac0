import jakarta.servlet.ServletException;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.realm.GenericPrincipal;
import org.apache.catalina.valves.ValveBase;

/**
 * For Tomcat 10.1: who a header of Écluse says it is becomes getRemoteUser(), and what a second one lists its roles.
 *
 * <p>{@code javac -cp "$CATALINA_HOME/lib/*:$CATALINA_HOME/bin/*" -d "$CATALINA_BASE/lib" EcluseRemoteUserValve.java}, then
 * into the Host or Context of server.xml: {@code <Valve className="EcluseRemoteUserValve" header="X-Remote-User"/>}. Nobody
 * but the gateway may reach this Tomcat: whoever does writes the header as they like.
 */
public class EcluseRemoteUserValve extends ValveBase {
    private String header = "X-Remote-User";
    private String groups = "";
    private String separator = ",";
    private Charset encoding = StandardCharsets.UTF_8;

    public EcluseRemoteUserValve() {
        super(true);
    }

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
    public void invoke(Request request, Response response) throws IOException, ServletException {
        String name = text(request, header);
        if (!name.isEmpty()) {
            String listed = groups.isEmpty() ? "" : text(request, groups);
            List<String> roles = listed.isEmpty() ? List.of() : List.of(listed.split(Pattern.quote(separator)));
            request.setAuthType("ECLUSE");
            request.setUserPrincipal(new GenericPrincipal(name, roles));
        }
        getNext().invoke(request, response);
    }

    /** Tomcat makes one character of each byte. */
    private String text(Request request, String name) {
        String value = request.getHeader(name);
        return value == null ? "" : new String(value.getBytes(StandardCharsets.ISO_8859_1), encoding);
    }
}
