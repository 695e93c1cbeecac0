import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpSession;
import java.nio.charset.StandardCharsets;
import java.security.Principal;
import java.util.HexFormat;
import org.springframework.stereotype.Controller;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseBody;

/** What an application in Spring MVC knows of a person, by what Spring itself gives its method. */
@Controller
public class Account {
    @RequestMapping("/**")
    @ResponseBody
    public String told(Principal principal, HttpServletRequest request, HttpSession session) {
        Object seen = session.getAttribute("seen");
        int visits = seen == null ? 1 : (Integer) seen + 1;
        session.setAttribute("seen", visits);
        String name = principal == null ? "" : principal.getName();
        return "principal " + HexFormat.of().formatHex(name.getBytes(StandardCharsets.UTF_8))
            + "\nroles " + request.isUserInRole("agents") + " " + request.isUserInRole("root")
            + "\nvisits " + visits;
    }
}
